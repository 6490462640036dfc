import Model

/// Gives images another name, tag or digest.
struct ImageTransformer: Transformer {
    let entry: ImageEntry
    let specs: FieldSpecs

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        let images = ImageUpdates(entry)
        var edits = FieldEdits(
            specs.specs.map { spec in
                FieldEdit(spec: spec) { (old) throws(Fault) in
                    if old.isNull { return nil }
                    guard old.isScalar else { throw Fault("an image must be a text, not of type \(old.typeName)") }
                    return images.updated(old.scalarText).map { .string($0) }
                }
            })
        for position in resources.indices where resources[position].kind.kind != "CustomResourceDefinition" {
            if let new = try containers(in: resources[position].object, resources[position], images) {
                resources[position].object = new
            }
            try edits.apply(to: &resources[position])
        }
    }

    /// Containers wherever they are: every list named `containers` or `initContainers`.
    private func containers(
        in value: JSON, _ resource: Resource, _ images: ImageUpdates
    ) throws(KustomizeError) -> JSON? {
        switch value {
        case .array(let elements):
            var changed: [JSON]?
            for (position, element) in elements.enumerated() {
                guard let new = try containers(in: element, resource, images) else { continue }
                if changed == nil { changed = elements }
                changed?[position] = new
            }
            return changed.map { .array($0) }
        case .object(let object):
            var changed: JSONObject?
            for member in object {
                var child = try containers(in: member.value, resource, images)
                if member.key == "containers" || member.key == "initContainers" {
                    child = try updated(containers: child ?? member.value, resource, images) ?? child
                }
                guard let child else { continue }
                if changed == nil { changed = object }
                changed?[member.key] = child
            }
            return changed.map { .object($0) }
        default: return nil
        }
    }

    private func updated(
        containers list: JSON, _ resource: Resource, _ images: ImageUpdates
    ) throws(KustomizeError) -> JSON? {
        guard var elements = list.array else { return nil }
        var isChanged = false
        for position in elements.indices where !elements[position].isNull {
            guard elements[position].object != nil else {
                throw resource.error("a container must be a map, not of type \(elements[position].typeName)")
            }
            guard let image = elements[position]["image"], !image.isNull else { continue }
            guard image.isScalar else {
                throw resource.error("an image must be a text, not of type \(image.typeName)")
            }
            guard let new = images.updated(image.scalarText), .string(new) != image else { continue }
            elements[position]["image"] = .string(new)
            isChanged = true
        }
        return isChanged ? .array(elements) : nil
    }
}

/// The new names of images. A class, since it remembers them: most images of a repository are there many times.
private final class ImageUpdates {
    private let entry: ImageEntry
    private var known: [String: String?] = [:]

    init(_ entry: ImageEntry) {
        self.entry = entry
    }

    /// The image's new name; `nil` for another image.
    func updated(_ image: String) -> String? {
        if let new = known[image] { return new }
        let new = isMeant(image) ? changed(image) : nil
        known[image] = .some(new)
        return new
    }

    private func changed(_ image: String) -> String {
        var (name, tag, digest) = Self.split(image)
        if !entry.newName.isEmpty { name = entry.newName }
        switch (entry.newTag.isEmpty, entry.digest.isEmpty) {
        case (false, false): (tag, digest) = (entry.newTag, entry.digest)
        case (false, true): (tag, digest) = (entry.newTag, "")
        case (true, false): (tag, digest) = ("", entry.digest)
        case (true, true) where !entry.tagSuffix.isEmpty: (tag, digest) = (tag + entry.tagSuffix, "")
        default: break
        }
        return name + (tag.isEmpty ? "" : ":\(tag)") + (digest.isEmpty ? "" : "@\(digest)")
    }

    /// The name is a regular expression to Kustomize, in which the dots of a host stand for any letter.
    private func isMeant(_ image: String) -> Bool {
        Expression.matches("^\(entry.name)(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$", image) ?? false
    }

    static func split(_ image: String) -> (name: String, tag: String, digest: String) {
        // A colon before the first slash belongs to the host's port.
        let start = image.firstIndex(of: "/").flatMap { $0 > image.startIndex ? $0 : nil } ?? image.startIndex
        let at = image[start...].firstIndex(of: "@")
        let colon = image[start...].firstIndex(of: ":")
        switch (colon, at) {
        case (nil, nil): return (image, "", "")
        case (let colon?, nil): return (String(image[..<colon]), String(image[image.index(after: colon)...]), "")
        case (let colon?, let at?) where colon < at:
            return (
                String(image[..<colon]), String(image[image.index(after: colon)..<at]),
                String(image[image.index(after: at)...])
            )
        case (_, let at?): return (String(image[..<at]), "", String(image[image.index(after: at)...]))
        }
    }
}
