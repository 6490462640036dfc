import Model

/// Rules that hold for all resources of a build together.
enum ResourceSet {
    /// Refuses two resources of one id.
    ///
    /// - Complexity: linear in the number of resources.
    static func refuseConflict(in resources: [Resource]) throws(KustomizeError) {
        var seen: [ResourceID: Int] = [:]
        for (position, resource) in resources.enumerated() {
            if let earlier = seen.updateValue(position, forKey: resource.id) {
                throw conflict(resource, resources[earlier])
            }
        }
    }

    static func conflict(_ resource: Resource, _ earlier: Resource) -> KustomizeError {
        let place = "\(earlier.source.file):\(earlier.source.mark)"
        return resource.error(
            "\(resource.id) is there already, from \(place): remove one of the two, or give it another name")
    }

    /// Adds generated resources: new ones, or data for those that are there, as each one's behavior says.
    static func absorb(_ generated: [Resource], into resources: inout [Resource]) throws(KustomizeError) {
        for resource in generated {
            let id = resource.id
            let matches = resources.indices.filter { resources[$0].allIDs.contains(id) }
            let isUpdate = resource.behavior == .merge || resource.behavior == .replace
            guard matches.count < 2 else {
                throw resource.error("\(id): \(matches.count) resources could take the data")
            }
            guard let position = matches.first else {
                guard !isUpdate else {
                    throw resource.error(
                        "\(id): there is none to \(resource.behavior.rawValue); the behavior create makes a new one")
                }
                resources.append(resource)
                continue
            }
            guard isUpdate else {
                throw resource.error("\(id) is there already: the behavior must be merge or replace")
            }
            resources[position] = resource.replacing(resources[position])
        }
        try refuseConflict(in: resources)
    }
}

extension Resource {
    /// This generated resource in the place of an earlier one: with its identity, and with its labels, annotations and
    /// (merging) data where this one has none.
    fileprivate func replacing(_ old: Resource) -> Resource {
        var result = old
        result.object = object
        result.setTexts("labels", old.texts("labels").merging(texts("labels")) { _, new in new })
        result.setTexts("annotations", old.texts("annotations").merging(texts("annotations")) { _, new in new })
        result.setName(old.name)
        result.setNamespace(old.namespace)
        result.needsHash = old.needsHash && needsHash
        result.source = source
        result.blanks = []
        result.times = []
        result.braced = []
        result.origin = behavior == .merge ? old.origin ?? origin : origin ?? old.origin
        guard behavior == .merge else { return result }
        for member in ["data", "binaryData"] {
            let data = old.dataTexts(member).merging(dataTexts(member)) { _, new in new }
            result.object[member] = data.isEmpty ? nil : .map(data)
        }
        return result
    }

    private func dataTexts(_ member: String) -> [String: String] {
        var result: [String: String] = [:]
        for entry in object[member]?.object ?? JSONObject() {
            result[entry.key] = entry.value.isNull ? "" : entry.value.scalarText
        }
        return result
    }
}
