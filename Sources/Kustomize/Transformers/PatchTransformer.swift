import GitSource
import Model

/// Applies patches of all forms.
struct PatchTransformer {
    let loader: Loader
    let place: Loader.Place
    /// Asked for when something is merged: it is the dearest thing of a build that merges nothing.
    let schema: () -> MergeSchema

    /// For what is written in the kustomization itself: a patch is nothing that objects come from.
    private let noBlob = WorkingTree.blobID(of: [])

    init(loader: Loader, place: Loader.Place, schema: @escaping @autoclosure () -> MergeSchema) {
        self.loader = loader
        self.place = place
        self.schema = schema
    }

    // MARK: patches

    /// One entry of `patches`: to the objects that the target selects, or to the one that the patch names.
    func apply(_ entry: PatchEntry, to resources: inout [Resource]) throws(KustomizeError) {
        switch try content(of: entry) {
        case .json(let operations):
            guard let target = entry.target else {
                throw entry.field.error("a JSON patch needs a target")
            }
            for position in resources.indices where try target.selects(resources[position]) {
                resources[position].rememberName()
                try resources[position].apply(operations, from: entry.field)
            }
        case .merge(var patches):
            for position in patches.indices {
                patches[position].allowsNameChange = entry.options["allowNameChange"] ?? false
                patches[position].allowsKindChange = entry.options["allowKindChange"] ?? false
            }
            guard let target = entry.target else {
                for patch in patches {
                    let position = try Self.target(of: patch, in: resources)
                    try resources[position].merge(patch, schema())
                }
                break
            }
            guard patches.count == 1 else {
                throw entry.field.error("with a target there can be one patch only, not \(patches.count)")
            }
            var selected: Set<ResourceID> = []
            for resource in resources where try target.selects(resource) { selected.insert(resource.id) }
            try merge(patches[0], into: &resources, selected)
        }
        resources.removeAll(where: \.isEmpty)
    }

    private func content(of entry: PatchEntry) throws(KustomizeError) -> PatchContent {
        let text = entry.patch.trimmedOfSpace
        switch (text.isEmpty, entry.path.isEmpty) {
        case (true, true): throw entry.field.error("patch or path must be set")
        case (false, false): throw entry.field.error("patch and path cannot be set both")
        case (true, false):
            let (file, text) = try loader.read(Reference(text: entry.path, field: entry.field), in: place)
            return try PatchContent.read(text, file: file.path, blob: file.blob, loader.scopes)
        case (false, true): return try inline(text, entry.field)
        }
    }

    /// A patch that is written in the kustomization itself: faults are placed there.
    private func inline(_ text: String, _ field: Field) throws(KustomizeError) -> PatchContent {
        let content: PatchContent
        do {
            content = try PatchContent.read(
                Array(text.utf8), file: field.document.file, blob: noBlob, loader.scopes)
        } catch {
            throw field.error("line \(error.mark?.line ?? 1) of the patch: \(error.message)")
        }
        guard case .merge(var patches) = content else { return content }
        for position in patches.indices {
            patches[position].source.mark = field.document.nearestMark(of: field.path)
        }
        return .merge(patches)
    }

    /// The one resource that a patch names by kind, name and namespace, of now or earlier.
    static func target(of patch: Resource, in resources: [Resource]) throws(KustomizeError) -> Int {
        let id = patch.originalID
        let found = resources.indices.filter { resources[$0].allIDs.contains(id) }
        guard let position = found.first, found.count == 1 else {
            let what = found.isEmpty ? "no resource is" : "\(found.count) resources are"
            throw patch.error("the patch is for \(id), but \(what) that")
        }
        return position
    }

    private func merge(
        _ patch: Resource, into resources: inout [Resource], _ selected: Set<ResourceID>
    ) throws(KustomizeError) {
        for position in resources.indices where selected.contains(resources[position].id) {
            try resources[position].merge(patch.copy(for: resources[position]), schema())
        }
        resources.removeAll(where: \.isEmpty)
        try ResourceSet.refuseConflict(in: resources)
    }

    // MARK: patchesStrategicMerge

    /// The patches that an entry holds itself, or the file that it names.
    func strategicPatches(_ reference: Reference) throws(KustomizeError) -> [Resource] {
        let text = Array(reference.text.utf8)
        let file = reference.field.document.file
        if case .success(let inline) = Result(catching: { () throws(KustomizeError) in
            try ResourceFile(text, file: file)
        }) {
            var patches = inline.resources(file, noBlob, loader.scopes)
            let mark = reference.field.document.nearestMark(of: reference.field.path)
            for position in patches.indices { patches[position].source.mark = mark }
            return patches
        }
        do {
            let entry = try loader.file(reference.text, in: place)
            return try loader.resources(of: entry, in: place)
        } catch let fault as Fault {
            throw reference.field.error(fault.message)
        } catch let error as KustomizeError {
            throw error
        } catch {
            throw reference.field.error("\(error)")
        }
    }

    func apply(strategic patches: [Resource], to resources: inout [Resource]) throws(KustomizeError) {
        for patch in patches {
            let position = try Self.target(of: patch, in: resources)
            try merge(patch, into: &resources, [resources[position].id])
        }
    }

    // MARK: patchesJson6902

    func apply(json entry: PatchEntry, to resources: inout [Resource]) throws(KustomizeError) {
        guard let target = entry.target, !target.name.isEmpty else {
            throw entry.field.error("the target needs a name")
        }
        let text: [UInt8]
        switch (entry.patch.isEmpty, entry.path.isEmpty) {
        case (true, true): throw entry.field.error("patch or path must be set")
        case (false, false): throw entry.field.error("patch and path cannot be set both")
        case (true, false): (_, text) = try loader.read(Reference(text: entry.path, field: entry.field), in: place)
        case (false, true): text = Array(entry.patch.utf8)
        }
        guard let operations = try PatchContent.jsonPatch(text, file: entry.field.document.file),
            operations.array?.isEmpty == false
        else { throw entry.field.error("a JSON patch is a list of operations, with one at least") }
        for position in resources.indices where try target.selects(resources[position]) {
            try resources[position].apply(operations, from: entry.field)
        }
    }
}

extension String {
    var trimmedOfSpace: String {
        var scalars = unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}
