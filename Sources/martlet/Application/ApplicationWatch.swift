import Cluster
import Kinds
import Model

/// Follows Applications, for `--watch`: each state once, however often the connection has to be made anew.
struct ApplicationWatch {
    var query: ListQuery
    var cluster: any Cluster
    /// The states that were shown already.
    private var versions: [ObjectKey: String] = [:]

    init(_ query: ListQuery, _ cluster: any Cluster, shown: [Application]) {
        self.query = query
        self.cluster = cluster
        for application in shown { versions[application.key] = application.metadata.resourceVersion }
    }

    /// Goes on until the task is cancelled or `onChange` throws.
    ///
    /// - Parameter onChange: told of each new state; `nil` for an Application that is gone.
    mutating func run(_ onChange: (ObjectKey, Application?) throws -> Void) async throws {
        while true {
            for try await event in try await cluster.watch(query, from: nil) {
                switch event {
                case .added(let object), .modified(let object):
                    let version = object.metadata.resourceVersion
                    guard versions.updateValue(version, forKey: object.key) != version else { continue }
                    try onChange(object.key, object.view())
                case .deleted(let object):
                    versions[object.key] = nil
                    try onChange(object.key, nil)
                case .bookmark: continue
                }
            }
        }
    }
}
