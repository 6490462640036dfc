package import Kinds
package import Model

package enum EventType: String, Hashable, Sendable {
    case normal = "Normal"
    case warning = "Warning"
}

/// Something worth telling the user about an object, before it is an Event in the cluster.
package struct EventReport: Hashable, Sendable {
    package var type: EventType
    package var reason: String
    package var message: String

    package init(_ type: EventType, reason: String, message: String) {
        self.type = type
        self.reason = reason
        self.message = message
    }
}

/// How a stream of reports becomes few Events (L3): repeats raise a count, many similar ones are combined, a flood
/// about one object is dropped. A value without time of its own.
package struct EventCorrelation: Sendable {
    /// More similar reports than this within `similarityWindow` are combined.
    static let similarLimit = 10
    static let similarityWindow = Duration.seconds(600)
    static let combinedPrefix = "(combined from similar events): "
    /// Events about one object that may come at once, and how long it takes to earn another.
    static let burst = 25.0
    static let refillSeconds = 300.0
    /// Objects and events remembered; the oldest are forgotten first.
    static let capacity = 4096

    package enum Decision: Sendable {
        case create(Event)
        /// Write the event again with its new count; the whole event is given in case it is gone by now.
        case update(Event)
        case drop
    }

    /// What events are about. Objects mostly differ in their uid, which costs less to hash than the whole reference.
    private struct Subject: Hashable {
        var reference: ObjectReference

        func hash(into hasher: inout Hasher) { hasher.combine(reference.uid ?? reference.name) }
    }

    private struct Similar: Hashable {
        var object: Subject
        var type: EventType
        var reason: String
    }

    private struct Group {
        var messages: Set<String>
        var lastSeen: Timestamp
    }

    private struct Bucket {
        var tokens: Double
        var refilled: Timestamp
    }

    private struct Identity: Hashable {
        var similar: Similar
        var message: String
    }

    private let component: String
    private let host: String?
    private var groups = BoundedMap<Similar, Group>(capacity: capacity)
    private var buckets = BoundedMap<Subject, Bucket>(capacity: capacity)
    private var events = BoundedMap<Identity, Event>(capacity: capacity)
    private var lastName: Int64 = 0
    /// Nanoseconds, less than a millisecond, that set this component's names apart from the others'.
    private let nameOffset: Int64

    package init(component: String, host: String? = nil) {
        self.component = component
        self.host = host
        // FNV-1a: the same in every process, unlike Hasher.
        let hash = "\(component)\n\(host ?? "")".utf8.reduce(0xcbf2_9ce4_8422_2325) { (hash: UInt64, byte) in
            (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        nameOffset = Int64(hash % 1_000_000)
    }

    package mutating func decide(_ report: EventReport, about object: ObjectReference, now: Timestamp) -> Decision {
        let subject = Subject(reference: object)
        let similar = Similar(object: subject, type: report.type, reason: report.reason)
        let isCombined = combine(similar, report.message, now: now)
        // Combined events are one event, whatever their texts.
        let identity = Identity(similar: similar, message: isCombined ? "" : report.message)
        let message = (isCombined ? Self.combinedPrefix : "") + report.message
        guard spend(subject, now: now) else { return .drop }
        if var event = events[identity] {
            event.count = (event.count ?? 1) + 1
            event.lastTimestamp = now
            event.message = message
            events[identity] = event
            return .update(event)
        }
        let event = makeEvent(report, message: message, about: object, now: now)
        events[identity] = event
        return .create(event)
    }

    private mutating func combine(_ similar: Similar, _ message: String, now: Timestamp) -> Bool {
        var group = groups[similar] ?? Group(messages: [], lastSeen: now)
        if now - group.lastSeen > Self.similarityWindow { group.messages = [] }
        group.lastSeen = now
        if group.messages.count < Self.similarLimit { group.messages.insert(message) }
        groups[similar] = group
        return group.messages.count >= Self.similarLimit && !group.messages.contains(message)
    }

    private mutating func spend(_ object: Subject, now: Timestamp) -> Bool {
        var bucket = buckets[object] ?? Bucket(tokens: Self.burst, refilled: now)
        let seconds = Double((now - bucket.refilled).wholeNanoseconds) / 1e9
        bucket.tokens = min(Self.burst, bucket.tokens + max(0, seconds) / Self.refillSeconds)
        bucket.refilled = now
        let granted = bucket.tokens >= 1
        if granted { bucket.tokens -= 1 }
        buckets[object] = bucket
        return granted
    }

    private mutating func makeEvent(
        _ report: EventReport, message: String, about object: ObjectReference, now: Timestamp
    ) -> Event {
        // Names are made of the time (L3); two events of one instant must still differ, also those of two components.
        lastName = max(lastName + 1, now.nanoseconds + nameOffset)
        let namespace = object.namespace ?? ""
        let time = JSON.string(now.description)
        var source: JSON = ["component": .string(component)]
        if let host { source["host"] = .string(host) }
        return Event(viewing: [
            "apiVersion": .string(Event.kind.apiVersion), "kind": .string(Event.kind.kind),
            "metadata": [
                "name": .string("\(object.name ?? "").\(String(lastName, radix: 16))"),
                "namespace": .string(namespace.isEmpty ? "default" : namespace),
            ],
            "involvedObject": object.json, "type": .string(report.type.rawValue), "reason": .string(report.reason),
            "message": .string(message), "source": source, "reportingComponent": .string(component),
            "reportingInstance": .string(host ?? ""), "firstTimestamp": time, "lastTimestamp": time, "count": 1,
        ])
    }
}

/// A dictionary that forgets its oldest entries when it is full.
struct BoundedMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var values: [Key: Value] = [:]
    private var order: [Key] = []
    private var head = 0

    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { values.count }

    subscript(key: Key) -> Value? {
        get { values[key] }
        set {
            guard let newValue else { preconditionFailure("entries leave a bounded map only by age") }
            if values.updateValue(newValue, forKey: key) != nil { return }
            order.append(key)
            if values.count > capacity {
                values[order[head]] = nil
                head += 1
                if head > capacity {
                    order.removeFirst(head)
                    head = 0
                }
            }
        }
    }
}
