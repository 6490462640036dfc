import Kinds
import Model

extension FuzzTarget {
    /// What is read can be written and read again, and stays the same.
    static let json = FuzzTarget("json") { input throws(FuzzFailure) in
        let value: JSON
        do throws(JSONError) {
            value = try JSON(decoding: Array(input))
        } catch {
            try expect(error.line >= 1 && error.column >= 1, "a fault has no place: \(error)")
            return
        }
        for layout in [JSONLayout.compact, .indented] { try expectSame(value, value.encoded(layout)) }
    }

    /// What is read can be written and read again, and stays the same.
    static let yaml = FuzzTarget("yaml") { input throws(FuzzFailure) in
        let documents: [YAMLDocument]
        do throws(YAMLError) {
            documents = try YAML.documents(Array(input), file: "input")
        } catch {
            try expect(error.line >= 1 && error.column >= 1, "a fault has no place: \(error)")
            return
        }
        for document in documents {
            let text = YAML.text(document.value)
            let again: [YAMLDocument]
            do {
                again = try YAML.documents(text, file: "written")
            } catch {
                throw FuzzFailure("what was written cannot be read: \(error)\n\(text)")
            }
            // Nothing but null is no document.
            if document.value.isNull { continue }
            try expect(again.map(\.value) == [document.value], "what was written reads as something else:\n\(text)")
            _ = document.nearestMark(ofField: String(decoding: input.prefix(64), as: UTF8.self))
        }
    }

    /// A selector's text is read as that selector.
    static let selectors = FuzzTarget("selectors") { input throws(FuzzFailure) in
        let text = String(decoding: input, as: UTF8.self)
        do {
            let selector = try Selector(parsing: text)
            let again = try Selector(parsing: selector.description)
            try expect(again == selector, "\(selector) is read as \(again)")
            _ = selector.matches(["app": "web", "tier": "3", "": ""])
        } catch let error as FuzzFailure {
            throw error
        } catch {
            try expectRefused(text) { try Selector(parsing: $0).description }
        }
        do {
            let selector = try FieldSelector(parsing: text)
            let again = try FieldSelector(parsing: selector.description)
            try expect(again == selector, "\(selector) is read as \(again)")
            _ = selector.matches(["metadata": ["name": "web"], "spec": ["replicas": 1, "paused": true]])
        } catch let error as FuzzFailure {
            throw error
        } catch {
            try expectRefused(text) { try FieldSelector(parsing: $0).description }
        }
    }

    /// Quantities, times, durations, schedules and patterns: what is read can be written and read again.
    static let values = FuzzTarget("values") { input throws(FuzzFailure) in
        let text = String(decoding: input, as: UTF8.self)
        if let quantity = Quantity(text) {
            let again = Quantity(quantity.description)
            try expect(again == quantity, "the quantity \(quantity) is read as \(again?.description ?? "nothing")")
            _ = (quantity + quantity, Quantity.zero - quantity, quantity.value, quantity.milliValue)
        }
        if let time = Timestamp(text) {
            let written = time.text(fractionDigits: 9)
            try expect(Timestamp(written) == time, "the time \(text) is written as \(written)")
            _ = time + .seconds(Int64.max) - .seconds(Int64.min)
        }
        do throws(CronSchedule.Fault) {
            _ = try CronSchedule(text).timeZone
        } catch {
            try expect(!error.description.isEmpty, "a schedule is refused without a reason")
        }
        if let bytes = Base64.decode(text) {
            try expect(Base64.decode(Base64.encode(bytes)) == bytes, "Base64 changes bytes")
        }
        for scale in [0, 1, 7, Int.max] { _ = IntOrString.string(text).scaled(to: scale, rounding: .up) }
        _ = PathStep.steps(ofField: text)
    }
}

/// What was written reads as the value again.
func expectSame(_ value: JSON, _ bytes: [UInt8]) throws(FuzzFailure) {
    do {
        let again = try JSON(decoding: bytes)
        try expect(again == value, "what was written reads as something else: \(value.text())")
    } catch let error as FuzzFailure {
        throw error
    } catch {
        throw FuzzFailure("what was written cannot be read: \(error)\n\(String(decoding: bytes, as: UTF8.self))")
    }
}

/// What was refused is refused once more: the fault lay in the input, not in what was written of it.
private func expectRefused(_ text: String, _ written: (String) throws -> String) throws(FuzzFailure) {
    guard let found = try? written(text) else { return }  // Refused again, as it should be.
    throw FuzzFailure("\(found) was written, and cannot be read")
}
