internal import Synchronization

/// The addresses of pods: a range of 127.0.0.0/8, of which each pod holds one for its life.
///
/// What is in use is known from `status.podIP`, so that nothing is kept beside the cluster: `reserve` what the cluster
/// says before the first `allocate`.
package final class PodAddresses: Sendable {
    private struct State {
        var used: [UInt32: String] = [:]
        var owned: [String: UInt32] = [:]
        var next: UInt32
    }

    private let first: UInt32
    private let last: UInt32
    private let state: Mutex<State>

    /// - Parameter range: `127.64.0.0/16`, within 127.0.0.0/8. `nil` when it is no such range.
    package init?(range: String = "127.64.0.0/16") {
        let parts = range.split(separator: "/")
        guard parts.count == 2, let base = Self.number(String(parts[0])), let bits = UInt32(parts[1]),
            (8...30).contains(bits), base >> 24 == 127
        else { return nil }
        let size = UInt32(1) << (32 - bits)
        let network = base & ~(size - 1)
        // Neither the network's own address nor the broadcast address.
        first = network + 1
        last = network + size - 2
        state = Mutex(State(next: network + 1))
    }

    static func number(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, !parts.contains(nil) else { return nil }
        return parts.reduce(0) { $0 << 8 | UInt32($1 ?? 0) }
    }

    static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
    }

    /// Takes an address that a pod has already. False when another pod holds it.
    @discardableResult
    package func reserve(_ address: String, for uid: String) -> Bool {
        guard let number = Self.number(address) else { return false }
        return state.withLock { state in
            if let holder = state.used[number], holder != uid { return false }
            state.used[number] = uid
            state.owned[uid] = number
            return true
        }
    }

    /// The pod's address: the one it has, or a free one; `nil` when none is left.
    ///
    /// Addresses are given in turn, so that one just freed rests before it comes back.
    package func allocate(for uid: String) -> String? {
        state.withLock { state in
            if let own = state.owned[uid] { return Self.text(own) }
            for _ in first...last {
                let candidate = state.next
                state.next = candidate == last ? first : candidate + 1
                if state.used[candidate] == nil {
                    state.used[candidate] = uid
                    state.owned[uid] = candidate
                    return Self.text(candidate)
                }
            }
            return nil
        }
    }

    package func release(_ uid: String) {
        state.withLock { state in
            if let address = state.owned.removeValue(forKey: uid) { state.used[address] = nil }
        }
    }
}
