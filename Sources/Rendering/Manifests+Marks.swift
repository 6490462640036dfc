import GitSource
package import Model

extension Manifests {
    /// Where a field of a manifest stands in its file, or the innermost field around it that is there.
    ///
    /// The file is read anew: positions of every field would cost more memory than the objects, and errors are rare.
    ///
    /// - Parameter field: as Kubernetes writes it: `spec.template.spec.containers[0].image`.
    package func mark(of field: String, in manifest: Manifest) -> Mark {
        let source = manifest.source
        let way = source.item + PathStep.steps(ofField: field)
        do {
            let text = try tree.content(of: FileEntry(path: source.file, blob: source.blob))
            if source.file.hasSuffix(".json") { return ParsedFile.mark(of: way, inJSON: text) }
            let documents = try YAML.documents(text, file: source.file)
            guard documents.indices.contains(source.document) else { return source.mark }
            return documents[source.document].keyMark(of: way) ?? documents[source.document].nearestMark(of: way)
        } catch {
            // The file was read before; if it cannot be now, the object's own place is the best there is.
            return source.mark
        }
    }

    /// An error about a field of a manifest, with its place in the file.
    package func error(_ message: String, at field: String, in manifest: Manifest) -> RenderingError {
        RenderingError(file: manifest.source.file, mark: mark(of: field, in: manifest), message: message)
    }
}
