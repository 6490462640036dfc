import Cluster
import Kinds
import Model

/// Follows Applications, for `--watch`: each state once, however often the connection has to be made anew.
struct ApplicationWatch {
    var query: ListQuery
    var cluster: any Cluster
    var clock: any WallClock
    /// The states that were shown already.
    private var versions: [ObjectKey: String] = [:]

    init(_ query: ListQuery, _ cluster: any Cluster, shown: [Application], clock: any WallClock = SystemClock()) {
        self.query = query
        self.cluster = cluster
        self.clock = clock
        for application in shown { versions[application.key] = application.metadata.resourceVersion }
    }

    /// Goes on until the task is cancelled or `onChange` throws.
    ///
    /// - Parameter onChange: told of each new state; `nil` for an Application that is gone.
    mutating func run(_ onChange: (ObjectKey, Application?) throws -> Void) async throws {
        while true {
            let list = try await cluster.list(query)
            let present = Set(list.items.map(\.key))
            for key in versions.keys.sorted() where !present.contains(key) { try note(key, nil, onChange) }
            for object in list.items { try note(object.key, object, onChange) }
            do {
                for try await event in try await cluster.watch(query, from: list.resourceVersion) {
                    switch event {
                    case .added(let object), .modified(let object): try note(object.key, object, onChange)
                    case .deleted(let object): try note(object.key, nil, onChange)
                    case .bookmark: continue
                    }
                }
            } catch let error as APIError where error.reason == .expired {
                // What was missed is in the next list.
            }
            // A stream may end at any time; a service that ends each at once is not to be asked without pause.
            try await clock.sleep(for: .milliseconds(500))
        }
    }

    private mutating func note(
        _ key: ObjectKey, _ object: Object?, _ onChange: (ObjectKey, Application?) throws -> Void
    ) throws {
        let version = object?.metadata.resourceVersion
        guard versions[key] != version else { return }
        versions[key] = version
        try onChange(key, object?.view())
    }
}
