import Model

/// The replicas over time as a drawing: one chart for each workload.
extension RehearsalReport {
    private static let width = 720
    private static let plot = (left: 40, right: 700, height: 90)
    private static let rowHeight = 150

    package var svg: String {
        let rows = workloads
        let height = 40 + Self.rowHeight * rows.count
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.width)" height="\(height)" \
            viewBox="0 0 \(Self.width) \(height)" font-family="sans-serif" font-size="12">
            <title>\(Self.escaped("Rehearsal of \(revision) from \(origin): \(headline)"))</title>
            <rect width="\(Self.width)" height="\(height)" fill="#ffffff"/>
            <text x="\(Self.plot.left)" y="24" font-size="14">\(Self.escaped(headline))</text>

            """
        for (index, record) in rows.enumerated() { text += chart(record, top: 40 + index * Self.rowHeight) }
        return text + "</svg>\n"
    }

    private func chart(_ record: Recording.WorkloadRecord, top: Int) -> String {
        let most = max(1, record.samples.map { max($0.counts.total, $0.counts.ready) }.max() ?? 0)
        let (left, right, height) = Self.plot
        let (zero, axis) = (top + 20 + height, top + 20)
        func line(_ colour: String, _ name: String, _ position: Int, _ value: (Recording.Counts) -> Int) -> String {
            let points = self.points(record.samples, top: axis, most: most, value)
            return """
                <polyline fill="none" stroke="\(colour)" stroke-width="2" points="\(points)"/>
                <text x="\(right - 150 + position * 50)" y="\(top + 12)" fill="\(colour)">\(name)</text>

                """
        }
        return """
            <text x="\(left)" y="\(top + 12)">\(Self.escaped(record.key.description))</text>
            <line x1="\(left)" y1="\(zero)" x2="\(right)" y2="\(zero)" stroke="#888888"/>
            <text x="\(left - 8)" y="\(axis + 10)" text-anchor="end">\(most)</text>
            <text x="\(left - 8)" y="\(zero)" text-anchor="end">0</text>
            <text x="\(left)" y="\(zero + 14)">0s</text>
            <text x="\(right)" y="\(zero + 14)" text-anchor="end">\(recording.duration.text)</text>

            """ + line("#1f77b4", "new", 0, \.new) + line("#888888", "old", 1, \.old)
                + line("#2ca02c", "ready", 2, \.ready)
    }

    /// Steps: a value holds until the next sample.
    private func points(
        _ samples: [Recording.Sample], top: Int, most: Int, _ value: (Recording.Counts) -> Int
    ) -> String {
        let (left, right, height) = Self.plot
        let total = max(1, recording.duration.milliseconds)
        func x(_ at: Duration) -> Int { left + Int(Int64(right - left) * min(at.milliseconds, total) / total) }
        func y(_ count: Int) -> Int { top + height - count * height / most }
        var points: [String] = []
        var last: Int?
        for sample in samples {
            let next = y(value(sample.counts))
            if let last { points.append("\(x(sample.at)),\(last)") }
            points.append("\(x(sample.at)),\(next)")
            last = next
        }
        if let last { points.append("\(right),\(last)") }
        return points.joined(separator: " ")
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            // Other control characters are no XML.
            case _ where character.unicodeScalars.allSatisfy { $0.value < 32 }: escaped += " "
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
