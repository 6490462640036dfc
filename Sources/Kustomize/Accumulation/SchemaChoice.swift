import Model

/// The schemas that patches merge by: the built-in ones, unless the first kustomization with `openapi` says otherwise.
/// Which kinds have a namespace is chosen with them (`KindScopes`).
///
/// A class, since what one level chooses holds for all that come after it.
final class SchemaChoice {
    private(set) lazy var schema = MergeSchema.builtIn
    private var isChosen = false

    private static let versions: Set<String> = ["v1.21.2"]

    /// - Throws: `KustomizeError` for a version that is not built in, and a file that is no OpenAPI document.
    func choose(_ kustomization: Kustomization, _ loader: Loader, _ place: Loader.Place) throws(KustomizeError) {
        var document: YAMLDocument?
        if let path = kustomization.openAPIPath {
            document = try loader.document(of: path, in: place)
            guard document?.value.object != nil else { throw path.field.error("\(path.text) is no OpenAPI document") }
        }
        if isChosen { return }
        if let document {
            if let version = kustomization.openAPIVersion {
                throw version.field.error("path and version cannot be set both")
            }
            let own = MergeSchema(openAPI: document.value)
            schema = loader.scopes.usesBuiltIn ? own.completed(by: .builtIn) : own
            loader.scopes.read(openAPI: document.value)
            isChosen = true
        } else if let version = kustomization.openAPIVersion, !version.text.isEmpty {
            guard Self.versions.contains(version.text) else {
                let known = Self.versions.sorted().joined(separator: ", ")
                throw version.field.error("the version \"\(version.text)\" is not built in; there is \(known)")
            }
            isChosen = true
        }
    }
}
