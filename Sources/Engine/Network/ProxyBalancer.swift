package import Model

/// Chooses backends for the connections of one listener: round robin, or the client's own with affinity.
package struct ProxyBalancer: Sendable {
    /// Clients remembered at most; beyond it the affinity of clients that were not seen lately is forgotten.
    package static let clientLimit = 10_000

    private var backends: [ProxyPlan.Endpoint]
    private var affinity: Duration?
    private var sources: [ProxyPlan.SourceRange]?
    private var next = 0
    private var clients: [String: Client] = [:]

    private struct Client {
        var backend: ProxyPlan.Endpoint
        var lastSeen: Timestamp
    }

    package init(_ listener: ProxyPlan.Listener) {
        backends = listener.backends
        affinity = listener.affinity
        sources = listener.sources
    }

    /// Takes over new backends; the rotation goes on where it was.
    package mutating func update(_ listener: ProxyPlan.Listener) {
        backends = listener.backends
        affinity = listener.affinity
        sources = listener.sources
        let present = Set(backends)
        clients = affinity == nil ? [:] : clients.filter { present.contains($0.value.backend) }
    }

    /// The backends to try for a new connection, best first, each once; none for a client that may not connect.
    package mutating func candidates(for client: String, at now: Timestamp) -> [ProxyPlan.Endpoint] {
        if let sources, !sources.contains(where: { $0.contains(client) }) { return [] }
        guard !backends.isEmpty else { return [] }
        if let affinity, let known = clients[client], now - known.lastSeen < affinity,
            let index = backends.firstIndex(of: known.backend)
        {
            clients[client]?.lastSeen = now
            return rotated(from: index)
        }
        let index = next % backends.count
        next = (index + 1) % backends.count
        return rotated(from: index)
    }

    /// Remembers who served a client, once a connection stands.
    package mutating func connected(_ client: String, to backend: ProxyPlan.Endpoint, at now: Timestamp) {
        guard let affinity else { return }
        if clients.count >= Self.clientLimit, clients[client] == nil {
            clients = clients.filter { now - $0.value.lastSeen < affinity }
            if clients.count >= Self.clientLimit,
                let oldest = clients.min(by: { $0.value.lastSeen < $1.value.lastSeen })
            {
                clients[oldest.key] = nil
            }
        }
        clients[client] = Client(backend: backend, lastSeen: now)
    }

    private func rotated(from index: Int) -> [ProxyPlan.Endpoint] {
        Array(backends[index...] + backends[..<index])
    }
}
