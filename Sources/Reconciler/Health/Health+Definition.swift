import Kinds
import Model

extension Health {
    /// An APIService is healthy when it is served. Where nothing ever aggregates, that was told when it was written,
    /// and waiting would not help.
    static func ofAPIService(_ service: JSON) -> Health {
        let conditions = service[path: ["status", "conditions"]]?.array ?? []
        guard let available = conditions.first(where: { $0["type"] == "Available" }) else {
            return Health(.progressing, "Waiting to be processed")
        }
        let reason = available["reason"]?.string ?? ""
        let message = "\(reason): \(available["message"]?.string ?? "")"
        let isSettled = available["status"] == "True" || reason == APIServiceAvailability.notAggregated
        return Health(isSettled ? .healthy : .progressing, message)
    }

    /// A definition is healthy when its kind is served.
    static func of(_ definition: CustomResourceDefinition) -> Health {
        if definition.isTrue("Terminating") { return Health(.progressing, "its objects are being deleted") }
        for type in ["NonStructuralSchema", "NamesAccepted"] {
            guard let condition = definition.condition(type) else { continue }
            let isBad = (type == "NamesAccepted") == (condition["status"] == "False")
            if isBad { return Health(.degraded, condition["message"]?.string ?? type) }
        }
        if let condition = definition.condition("Established"), condition["reason"] == "ConversionNotSupported" {
            return Health(.degraded, condition["message"]?.string ?? "")
        }
        guard definition.isTrue("Established") else { return Health(.progressing, "waiting to be established") }
        return Health(.healthy)
    }
}
