import GitSource
import Model

/// The build of one directory with a kustomization (Kustomize's `KustTarget`).
struct Target {
    let loader: Loader
    let place: Loader.Place
    let kustomization: Kustomization
    let origin: Origin?
    let schemas: SchemaChoice

    init(_ loader: Loader, _ place: Loader.Place, origin: Origin?, schemas: SchemaChoice) throws(BuildFault) {
        self.loader = loader
        self.place = place
        self.schemas = schemas
        self.origin = origin
        kustomization = try BuildFault.lift { () throws(KustomizeError) in try loader.kustomization(in: place) }
        try BuildFault.lift { () throws(KustomizeError) in try schemas.choose(kustomization, loader, place) }
    }

    func accumulate() throws(BuildFault) -> Accumulator {
        var result = Accumulator()
        try accumulate(into: &result)
        return result
    }

    /// Adds what this directory builds. A component works on what its parent has gathered so far.
    private func accumulate(into result: inout Accumulator) throws(BuildFault) {
        var known: Set<ResourceID>?
        try add(kustomization.resources, to: &result, known: &known)
        try BuildFault.lift { () throws(KustomizeError) in try configure(&result) }
        try generate(into: &result)
        for reference in kustomization.components { try add(component: reference, to: &result) }
        try transform(&result)
        for reference in kustomization.validators { try validate(reference, result) }
        try BuildFault.lift { () throws(KustomizeError) in try result.add(kustomization.vars) }
    }

    // MARK: Resources

    private func add(
        _ references: [Reference], to result: inout Accumulator, known: inout Set<ResourceID>?
    ) throws(BuildFault) {
        for reference in references {
            if let remote = RemoteBase(reference.text), !Self.isRemoteFile(reference.text) {
                let place = try remotePlace(remote, reference)
                try add(directory: place, reference, to: &result, known: &known)
                continue
            }
            let found: Loader.Found = try BuildFault.lift { () throws(KustomizeError) in
                do throws(Fault) {
                    if Self.isRemoteFile(reference.text) { return .file(try loader.file(reference.text, in: place)) }
                    return try loader.find(reference.text, in: place)
                } catch {
                    throw reference.field.error(error.message)
                }
            }
            switch found {
            case .file(let entry):
                try BuildFault.lift { () throws(KustomizeError) in
                    var resources = try loader.resources(of: entry, in: place)
                    if let origin {
                        let own = origin.appending(reference.text)
                        for position in resources.indices { resources[position].origin = own }
                    }
                    try result.append(resources, known: &known)
                }
            case .directory(let directory):
                let next = try self.place(of: directory, reference)
                try add(directory: next, reference, to: &result, known: &known)
            }
        }
    }

    /// A file at a web address, which is not to be had from a repository.
    private static func isRemoteFile(_ text: String) -> Bool {
        guard ["http://", "https://"].contains(where: { text.lowercased().hasPrefix($0) }) else { return false }
        let path = text.split(separator: "?").first.map(String.init) ?? text
        let isFile = [".yaml", ".yml", ".json"].contains { path.lowercased().hasSuffix($0) }
        let isRepository = path.dropFirst(8).contains("//") || path.contains(".git/") || path.contains("_git/")
        return isFile && !isRepository && !text.contains("?ref=")
    }

    private func place(of directory: String, _ reference: Reference) throws(BuildFault) -> Loader.Place {
        do {
            return try loader.place(directory, from: place)
        } catch {
            throw .failed(reference.field.error(error.message))
        }
    }

    private func remotePlace(_ remote: RemoteBase, _ reference: Reference) throws(BuildFault) -> Loader.Place {
        do {
            return try loader.place(remote, from: place)
        } catch {
            switch error {
            case .needs(var remote):
                let place = reference.field.error("")
                (remote.file, remote.mark) = (place.file, place.mark)
                throw .needs(remote)
            case .fault(let message): throw .failed(reference.field.error(message))
            }
        }
    }

    private func target(_ next: Loader.Place, _ reference: Reference, isComponent: Bool) throws(BuildFault) -> Target {
        let target: Target
        do {
            target = try Target(loader, next, origin: origin?.appending(reference.text), schemas: schemas)
        } catch {
            // A directory without a kustomization is a fault of who names it.
            guard case .failed(let fault) = error, fault.file == next.root, fault.mark == nil else { throw error }
            throw .failed(reference.field.error("\(reference.text): \(fault.message)"))
        }
        guard target.kustomization.isComponent == isComponent else {
            let message =
                isComponent
                ? "\(reference.text) is no Component: list it under resources"
                : "\(reference.text) is a Component: list it under components"
            throw .failed(reference.field.error(message))
        }
        return target
    }

    private func add(
        directory: Loader.Place, _ reference: Reference, to result: inout Accumulator, known: inout Set<ResourceID>?
    ) throws(BuildFault) {
        let base = try target(directory, reference, isComponent: false).accumulate()
        try BuildFault.lift { () throws(KustomizeError) in try result.merge(base, known: &known, at: reference.field) }
    }

    private func add(component reference: Reference, to result: inout Accumulator) throws(BuildFault) {
        let next: Loader.Place
        if let remote = RemoteBase(reference.text) {
            next = try remotePlace(remote, reference)
        } else {
            let found: Loader.Found
            do {
                found = try loader.find(reference.text, in: place)
            } catch {
                throw .failed(reference.field.error(error.message))
            }
            guard case .directory(let directory) = found else {
                throw .failed(reference.field.error("\(reference.text) is a file; a component is a directory"))
            }
            next = try place(of: directory, reference)
        }
        try target(next, reference, isComponent: true).accumulate(into: &result)
        let resources = result.resources
        try BuildFault.lift { () throws(KustomizeError) in try ResourceSet.refuseConflict(in: resources) }
    }

    // MARK: Configuration

    private func configure(_ result: inout Accumulator) throws(KustomizeError) {
        var own: Configuration?
        for reference in kustomization.configurations {
            guard let document = try loader.document(of: reference, in: place) else { continue }
            let read = try Configuration(document)
            try merge(read, into: &own, at: reference.field)
        }
        if let files = own {
            own = .defaults
            try merge(files, into: &own, at: kustomization.configurations.first?.field ?? kustomization.root)
        }
        try result.configure(own, at: kustomization.root)
        for reference in kustomization.crds {
            guard let document = try loader.document(of: reference, in: place) else {
                throw reference.field.error("the file is empty")
            }
            let read: Configuration
            do {
                read = try Configuration(definitions: document.value)
            } catch {
                throw reference.field.error(error.message)
            }
            try result.configure(read, at: reference.field)
        }
    }

    private func merge(
        _ configuration: Configuration, into own: inout Configuration?, at field: Field
    ) throws(KustomizeError) {
        var merged = own ?? Configuration()
        do {
            try merged.merge(configuration)
        } catch {
            throw field.error(error.message)
        }
        own = merged
    }

    // MARK: Generators

    private func generate(into result: inout Accumulator) throws(BuildFault) {
        let sources = KeyValueSources(loader: loader, place: place)
        let global = kustomization.generatorOptions
        let own =
            kustomization.configMapGenerator.map { (ConfigGenerator($0, isSecret: false, global: global), $0.field) }
            + kustomization.secretGenerator.map { (ConfigGenerator($0, isSecret: true, global: global), $0.field) }
        for (generator, field) in own {
            try BuildFault.lift { () throws(KustomizeError) in
                var resource = try generator.resource(sources, source: source(of: field))
                let kind = generator.isSecret ? "SecretGenerator" : "ConfigMapGenerator"
                resource.origin = origin?.builtIn(kind, in: fileName)
                try ResourceSet.absorb([resource], into: &result.resources)
            }
        }
        for plugin in try plugins(kustomization.generators) {
            try BuildFault.lift { () throws(KustomizeError) in
                var resources = try plugin.generate(sources)
                for position in resources.indices where resources[position].origin == nil {
                    resources[position].origin = plugin.resource.origin?.plugin(plugin.resource)
                }
                try ResourceSet.absorb(resources, into: &result.resources)
            }
        }
    }

    private var fileName: String {
        String(kustomization.file.split(separator: "/").last ?? "kustomization.yaml")
    }

    private func source(of field: Field) -> ResourceSource {
        ResourceSource(
            file: kustomization.file, blob: kustomization.blob, document: 0, path: field.path,
            mark: field.document.nearestMark(of: field.path))
    }

    /// Generators or transformers that are given as files, directories, or in the kustomization itself.
    private func plugins(_ references: [Reference]) throws(BuildFault) -> [Plugin] {
        var gathered = Accumulator()
        var known: Set<ResourceID>?
        var rest: [Reference] = []
        for reference in references {
            guard
                case .success(let inline) = Result(catching: { () throws(KustomizeError) in
                    try ResourceFile(Array(reference.text.utf8), file: kustomization.file)
                })
            else {
                rest.append(reference)
                continue
            }
            var resources = inline.resources(kustomization.file, kustomization.blob, loader.scopes)
            for position in resources.indices {
                resources[position].source = source(of: reference.field)
                resources[position].origin = origin?.appending(fileName)
            }
            try BuildFault.lift { () throws(KustomizeError) in try gathered.append(resources, known: &known) }
        }
        try add(rest, to: &gathered, known: &known)
        return gathered.resources.map { Plugin(resource: $0, loader: loader, place: place, schema: schemas.schema) }
    }

    // MARK: Transformers

    private func transform(_ result: inout Accumulator) throws(BuildFault) {
        let configuration = result.configuration
        try BuildFault.lift { () throws(KustomizeError) in
            for (kind, step) in try steps(configuration) {
                try step(&result.resources)
                record(origin?.builtIn(kind, in: fileName), in: &result.resources)
            }
        }
        for plugin in try plugins(kustomization.transformers) {
            try BuildFault.lift { () throws(KustomizeError) in
                try plugin.transform(&result.resources)
                record(plugin.resource.origin?.plugin(plugin.resource), in: &result.resources)
            }
        }
    }

    private func record(_ origin: Origin?, in resources: inout [Resource]) {
        guard let origin else { return }
        for position in resources.indices {
            // Kustomize writes it among the annotations, which so become texts.
            if resources[position].object["metadata"]?["annotations"]?.object != nil {
                resources[position].setTexts("annotations", resources[position].texts("annotations"))
            }
            if resources[position].origin == nil {
                resources[position].origin = origin
            } else {
                resources[position].transformations.append(origin)
            }
        }
    }

    private func validate(_ reference: Reference, _ result: Accumulator) throws(BuildFault) {
        for plugin in try plugins([reference]) {
            var resources = result.resources
            try BuildFault.lift { () throws(KustomizeError) in
                try plugin.transform(&resources)
                guard resources.map(\.object) == result.resources.map(\.object) else {
                    throw reference.field.error("a validator must leave the resources as they are")
                }
            }
        }
    }
}
