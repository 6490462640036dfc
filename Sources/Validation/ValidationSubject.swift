package import GitSource
import Kinds
import Model
package import Rendering

/// One object that is judged: as it is written, and with its defaults.
package final class SubjectObject: Sendable {
    let key: ObjectKey
    /// As it is written.
    let written: Object
    let source: ManifestSource
    /// With the defaults of its kind, as rules about what will happen need it.
    let json: JSON
    /// The pods that it makes, if any.
    let pods: PodTemplate?
    /// What its kind has against it.
    let faults: [OfflineValidation.Fault]

    /// Where it belongs: the directory that was built, or that of its file.
    let folder: String

    init(_ manifest: Manifest, of part: Manifests, by offline: OfflineValidation) {
        folder = part.folder(of: manifest)
        key = manifest.key
        written = manifest.object
        source = manifest.source
        json = offline.defaulted(manifest.object).json
        faults = offline.faults(manifest.object)
        pods = PodTemplate(of: manifest.key.kind, json)
    }

    var name: String { key.name }
    var namespace: String { key.namespace }
    var kind: GroupVersionKind { written.kind }

    /// The rules that an annotation switches off for this object.
    var ignoredRules: Set<String> {
        let text = written.metadata.annotations[Self.annotation] ?? ""
        return Set(text.split { $0 == "," || $0 == " " || $0 == "\n" }.map(String.init))
    }

    /// Names the rules that are not to judge the object: `dangling-secret, no-readiness-probe`.
    package static let annotation = "martlet.dev/ignore-rules"
}

/// All that the rules look at: the objects of a repository, found in many ways.
package struct ValidationSubject: Sendable {
    let tree: any FileTree
    /// What could not be read or rendered.
    let errors: [RenderingError]
    let objects: [SubjectObject]
    let offline: OfflineValidation
    /// Of an earlier state of the repository, to tell what changed; empty where nobody asked.
    let earlier: [ObjectKey: Object]
    /// Whether an Application's repository is the one that is judged.
    let isThisRepository: @Sendable (_ url: String) -> Bool
    private let byKey: [ObjectKey: [SubjectObject]]
    private let byKind: [GroupKind: [SubjectObject]]

    /// - Parameters:
    ///   - parts: of the whole repository, rendered by kinds that take every object (`KnownKinds.any`).
    ///   - earlier: what the rule `config-without-rollout` compares with.
    package init(
        _ parts: [Manifests], of tree: any FileTree, earlier: [Manifests] = [],
        isThisRepository: @escaping @Sendable (_ url: String) -> Bool = { _ in false }
    ) {
        self.tree = tree
        errors = parts.flatMap(\.errors)
        self.isThisRepository = isThisRepository
        let offline = OfflineValidation(parts.flatMap { $0.allManifests.map(\.object) })
        self.offline = offline
        objects = parts.flatMap { part in
            part.allManifests.map { SubjectObject($0, of: part, by: offline) }
        }
        byKey = Dictionary(grouping: objects, by: \.key)
        workloads = objects.filter { $0.pods != nil }
        var byLabel: [PodLabel: [SubjectObject]] = [:]
        for workload in workloads {
            for (name, value) in workload.pods?.labels ?? [:] {
                byLabel[PodLabel(namespace: workload.namespace, name: name, value: value), default: []].append(workload)
            }
        }
        self.byLabel = byLabel
        byKind = Dictionary(grouping: objects, by: \.key.kind)
        self.earlier = Dictionary(
            earlier.flatMap(\.allManifests).map { ($0.key, $0.object) }, uniquingKeysWith: { first, _ in first })
    }

    /// How many objects are judged.
    package var count: Int { objects.count }

    /// The object of that name which whoever stands in `file` means: of several (a repository may hold more than one
    /// environment) the nearest in the tree of folders.
    func object(_ kind: GroupKind, _ namespace: String, _ name: String, near object: SubjectObject) -> SubjectObject? {
        let candidates = byKey[ObjectKey(kind: kind, namespace: namespace, name: name)] ?? []
        return Self.nearest(candidates, to: object).first
    }

    /// Objects that are defined more than once in one folder, each with the one before.
    var duplicates: [(first: SubjectObject, second: SubjectObject)] {
        byKey.values.filter { $0.count > 1 }.flatMap { all in
            Dictionary(grouping: all, by: \.folder).values.flatMap { same in
                same.dropFirst().map { (same[0], $0) }
            }
        }
    }

    /// Those that share the most folders with an object's file.
    private static func nearest(_ candidates: [SubjectObject], to object: SubjectObject) -> [SubjectObject] {
        guard candidates.count > 1 else { return candidates }
        let folders = object.folder.split(separator: "/")
        let distances = candidates.map { candidate in
            zip(folders, candidate.folder.split(separator: "/")).prefix { $0 == $1 }.count
        }
        let best = distances.max() ?? 0
        return zip(candidates, distances).filter { $0.1 == best }.map(\.0)
    }

    func objects(of kind: GroupKind) -> [SubjectObject] { byKind[kind] ?? [] }

    /// Whatever makes pods.
    let workloads: [SubjectObject]
    /// The same by each label of their pods.
    private let byLabel: [PodLabel: [SubjectObject]]

    private struct PodLabel: Hashable {
        var namespace: String
        var name: String
        var value: String
    }

    /// Workloads among which are all that a selector matches; few where it names a label's value.
    private func candidates(_ selector: Selector, _ namespace: String) -> [SubjectObject] {
        let lists = selector.requirements.compactMap { requirement -> [SubjectObject]? in
            guard case .equals(let name, let value) = requirement else { return nil }
            return byLabel[PodLabel(namespace: namespace, name: name, value: value)] ?? []
        }
        return lists.min { $0.count < $1.count } ?? workloads
    }

    /// The workloads whose pods a selector in the object means, the nearest ones.
    func workloads(matching selector: Selector, of object: SubjectObject) -> [SubjectObject] {
        let all = candidates(selector, object.namespace).filter { workload in
            workload.namespace == object.namespace && selector.matches(workload.pods?.labels ?? [:])
        }
        return Self.nearest(all, to: object)
    }
}

extension KnownKinds {
    /// Takes objects of every kind, so that rules may say what they have against it. A kind that nobody knows counts as
    /// one with namespaces.
    package static let any = KnownKinds(version: -1) { kind in
        Catalog.builtIn.type(for: kind.groupKind)?.isNamespaced ?? !Self.namespaceless.contains(kind.groupKind)
    }

    /// Kinds of old whose objects are in no namespace.
    private static let namespaceless: Set<GroupKind> = [GroupKind(group: "policy", kind: "PodSecurityPolicy")]
}
