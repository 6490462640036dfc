import Model

/// Makes a ConfigMap or a Secret of key-value pairs.
struct ConfigGenerator {
    let isSecret: Bool
    let arguments: GeneratorArguments
    /// The arguments' own options, completed by those for all generators.
    let options: GeneratorOptions?

    init(_ arguments: GeneratorArguments, isSecret: Bool, global: GeneratorOptions? = nil) {
        self.isSecret = isSecret
        self.arguments = arguments
        options = global.map { (arguments.options ?? GeneratorOptions()).completed(by: $0) } ?? arguments.options
    }

    /// - Throws: `KustomizeError` for a missing name, a missing file, a key that is given twice.
    ///
    /// - Parameter source: where the generator is written.
    func resource(_ sources: KeyValueSources, source: ResourceSource) throws(KustomizeError) -> Resource {
        guard !arguments.name.isEmpty else { throw arguments.field.error("the generator needs a name") }
        var metadata: JSON = ["name": .string(arguments.name)]
        if !arguments.namespace.isEmpty { metadata["namespace"] = .string(arguments.namespace) }
        if let labels = options?.labels, !labels.isEmpty { metadata["labels"] = .map(labels) }
        if let annotations = options?.annotations, !annotations.isEmpty { metadata["annotations"] = .map(annotations) }
        var object: JSON = ["apiVersion": "v1", "kind": isSecret ? "Secret" : "ConfigMap", "metadata": metadata]
        if isSecret { object["type"] = .string(arguments.type.isEmpty ? "Opaque" : arguments.type) }
        let pairs = try sources.pairs(of: arguments)
        if isSecret { object["data"] = .emptyObject }
        for (key, value) in pairs {
            if isSecret {
                object[path: ["data", key]] = .string(Self.base64(value))
            } else if let text = String(validating: value, as: UTF8.self) {
                object[path: ["data", key]] = .string(text)
            } else {
                object[path: ["binaryData", key]] = .string(Self.base64(value))
            }
        }
        if options?.isImmutable == true { object["immutable"] = true }
        var resource = Resource(object: object, source: source, sources.loader.scopes)
        resource.behavior = Resource.Behavior(rawValue: arguments.behavior) ?? .unspecified
        resource.needsHash = options?.disablesNameSuffixHash != true
        return resource
    }

    /// Base64 in lines of 70 characters, each with a line break, where it is longer than that
    /// (`kyaml/yaml/datamap.go`): the breaks are part of the hash.
    static func base64(_ bytes: [UInt8]) -> String {
        let text = Array(Base64.encode(bytes).utf8)
        guard text.count >= 70 else { return String(decoding: text, as: UTF8.self) }
        var result: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: 70) {
            result += text[start..<min(start + 70, text.count)]
            result.append(UInt8(ascii: "\n"))
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension JSON {
    /// A map of texts, by name.
    static func map(_ texts: [String: String]) -> JSON {
        .object(
            JSONObject(
                texts.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }))
    }
}
