import Crypto
import Kinds
import Model
import Synchronization

/// Bytes, with the uppercase SHA-512 of them that names them (A7, B1, B2).
struct TaggedBytes: Sendable {
    let bytes: [UInt8]
    let hash: String

    /// - Parameter hash: that of the same in another encoding; by default that of the bytes.
    init(_ bytes: [UInt8], hash: String? = nil) {
        self.bytes = bytes
        self.hash = hash ?? Self.hash(of: bytes)
    }

    static func hash(of bytes: [UInt8]) -> String {
        SHA512.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }
}

/// The documents about the resource types. What is small, or names a big one, is kept until the types change; of the
/// big ones those that were asked for last, up to a limit.
final class DocumentCache: Sendable {
    private struct State {
        var types: [ResourceType] = []
        var discovery = DiscoveryDocuments([])
        var aggregated: [Bool: TaggedBytes] = [:]
        var openAPI = OpenAPIDocuments([])
        /// By group version, with the types that they were made from.
        var hashes: [String: (types: [ResourceType], hash: String)] = [:]
        var index: TaggedBytes?
        /// The one asked for last is the last.
        var recent: [(name: String, document: TaggedBytes)] = []
    }

    /// How many bytes of documents are kept.
    private static let limit = 1 << 19

    private let state = Mutex(State())

    func discovery(for types: [ResourceType]) -> DiscoveryDocuments {
        withState(of: types) { $0.discovery }
    }

    /// A7.
    func aggregated(core: Bool, for types: [ResourceType]) -> TaggedBytes {
        withState(of: types) { state in
            if let made = state.aggregated[core] { return made }
            let document = TaggedBytes(state.discovery.aggregated(core: core).encoded())
            state.aggregated[core] = document
            return document
        }
    }

    /// B1. The first time, every document whose types have changed is made for its hash, and dropped.
    func openAPIIndex(for types: [ResourceType]) -> TaggedBytes {
        withState(of: types) { state in
            if let index = state.index { return index }
            let schemas = Self.schemas()
            var hashes: [String: (types: [ResourceType], hash: String)] = [:]
            for name in state.openAPI.names {
                let types = state.openAPI.types(of: name)
                if let known = state.hashes[name], known.types == types {
                    hashes[name] = known
                } else if let bytes = state.openAPI.document(name, schemas: schemas) {
                    hashes[name] = (types, TaggedBytes.hash(of: bytes))
                }
            }
            state.hashes = hashes
            let index = TaggedBytes(OpenAPIDocuments.index(hashes.mapValues(\.hash)))
            state.index = index
            return index
        }
    }

    /// B2; `nil` for what is not served. In protobuf it has the name that it has in JSON.
    func openAPI(_ name: String, asProtobuf: Bool, for types: [ResourceType]) -> TaggedBytes? {
        withState(of: types) { state in
            let json = { (state: inout State) in
                Self.recent(name, in: &state) {
                    $0.openAPI.document(name, schemas: Self.schemas()).map { TaggedBytes($0) }
                }
            }
            guard asProtobuf else { return json(&state) }
            let known = state.hashes[name].flatMap { $0.types == state.openAPI.types(of: name) ? $0.hash : nil }
            guard let hash = known ?? json(&state)?.hash else { return nil }
            return Self.recent("\(name) protobuf", in: &state) {
                $0.openAPI.document(name, schemas: Self.schemas(), asProtobuf: true).map {
                    TaggedBytes($0, hash: hash)
                }
            }
        }
    }

    /// B9, B10.
    func openAPIVersion2(asProtobuf: Bool, for types: [ResourceType]) -> TaggedBytes? {
        withState(of: types) { state in
            Self.recent(asProtobuf ? "v2 protobuf" : "v2", in: &state) {
                TaggedBytes($0.openAPI.version2(schemas: Self.schemas(), asProtobuf: asProtobuf))
            }
        }
    }

    /// Made when documents are: they are big.
    private static func schemas() -> OpenAPISchemas { OpenAPISchemas() }

    private static func recent(
        _ name: String, in state: inout State, make: (State) -> TaggedBytes?
    ) -> TaggedBytes? {
        if let position = state.recent.firstIndex(where: { $0.name == name }) {
            let known = state.recent.remove(at: position)
            state.recent.append(known)
            return known.document
        }
        guard let document = make(state) else { return nil }
        state.recent.append((name, document))
        var size = state.recent.reduce(0) { $0 + $1.document.bytes.count }
        while size > limit, let first = state.recent.first {
            size -= first.document.bytes.count
            state.recent.removeFirst()
        }
        return document
    }

    private func withState<Result: Sendable>(
        of types: [ResourceType], _ body: (inout State) -> Result
    ) -> Result {
        state.withLock { state in
            if state.types != types {
                state = State(
                    types: types, discovery: DiscoveryDocuments(types), openAPI: OpenAPIDocuments(types),
                    hashes: state.hashes)
            } else {
                // Types that share their storage are the same at a glance; what was equal only by its content is kept,
                // so that it is compared once and not at each request.
                state.types = types
            }
            return body(&state)
        }
    }
}
