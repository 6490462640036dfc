import Model
import Synchronization

/// The time that every answer bears, put into words once a second.
final class DateHeader: Sendable {
    private let known = Mutex<(second: Int64, text: String)?>(nil)

    func text(at now: Timestamp) -> String {
        known.withLock { known in
            if let known, known.second == now.seconds { return known.text }
            let text = now.httpDate
            known = (now.seconds, text)
            return text
        }
    }
}

extension Timestamp {
    /// As HTTP has it: `Thu, 26 Nov 2026 11:00:00 GMT`.
    var httpDate: String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = Array(description)
        let month = (Int(String(text[5..<7])) ?? 1) - 1
        // The epoch was a Thursday.
        let day = Int(seconds / 86400 % 7)
        return "\(days[day]), \(String(text[8..<10])) \(months[month]) \(String(text[0..<4])) "
            + "\(String(text[11..<19])) GMT"
    }
}
