import Cluster
package import Kinds
package import Model

/// Which Events have outlived their hour (L1 of the API's rules), so that they do not grow without bound.
package enum EventExpiry {
    static let lifetime = Duration.seconds(3600)

    package struct Decision: Hashable, Sendable {
        package var expired: [ObjectKey]
        /// When the next of the present ones expires; later ones expire later.
        package var next: Timestamp?
    }

    package static func decide(_ events: [Object], now: Timestamp) -> Decision {
        var decision = Decision(expired: [])
        for event in events {
            let end = lastSeen(event) + lifetime
            if end <= now {
                decision.expired.append(event.key)
            } else {
                decision.next = min(decision.next ?? end, end)
            }
        }
        decision.expired.sort()
        return decision
    }

    /// Repetition prolongs an Event's life.
    private static func lastSeen(_ event: Object) -> Timestamp {
        let times = [
            event.json["lastTimestamp"], event.json["eventTime"],
            event.json[path: ["series", "lastObservedTime"]], event.json[path: ["metadata", "creationTimestamp"]],
        ]
        return times.compactMap { $0?.string.flatMap { Timestamp($0) } }.max() ?? Timestamp(seconds: 0)
    }
}

/// Deletes Events once they have expired.
struct EventExpiryController {
    /// Between two looks at least so much time passes, so that Events go in batches.
    private static let pause = Duration.seconds(60)

    let cluster: any Cluster
    let clock: any WallClock

    /// Works until the task is cancelled.
    func run() async throws {
        while true {
            var next: Timestamp?
            do throws(APIError) {
                next = try await expire()
            } catch {
                // Nothing depends on it: the next look tries again.
                next = nil
            }
            let now = clock.now
            // Until the next one expires: an Event that is written meanwhile does so after its whole lifetime.
            try await clock.sleep(until: max(next ?? now + EventExpiry.lifetime, now + Self.pause))
        }
    }

    private func expire() async throws(APIError) -> Timestamp? {
        let events = try await cluster.list(ListQuery(Event.kind.groupKind)).items
        let decision = EventExpiry.decide(events, now: clock.now)
        for key in decision.expired {
            do throws(APIError) {
                _ = try await cluster.delete(key, options: DeleteOptions())
            } catch  where error.reason == .notFound {
                // Somebody else was quicker.
                continue
            }
        }
        return decision.next
    }
}
