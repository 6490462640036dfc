package import GitSource
package import Model

extension Manifests {
    /// Where a field of a manifest stands in its file, or the innermost field around it that is there.
    ///
    /// The file is read anew: positions of every field would cost more memory than the objects, and errors are rare.
    ///
    /// - Parameter field: as Kubernetes writes it: `spec.template.spec.containers[0].image`.
    package func mark(of field: String, in manifest: Manifest) -> Mark {
        manifest.source.mark(of: field, in: tree)
    }

    /// An error about a field of a manifest, with its place in the file.
    package func error(_ message: String, at field: String, in manifest: Manifest) -> RenderingError {
        RenderingError(file: manifest.source.file, mark: mark(of: field, in: manifest), message: message)
    }
}

extension ManifestSource {
    /// Where a field stands in the file, as the tree that the manifest came from has it.
    package func mark(of field: String, in tree: any FileTree) -> Mark {
        let way = item + PathStep.steps(ofField: field)
        do {
            let text = try tree.content(of: FileEntry(path: file, blob: blob))
            if file.hasSuffix(".json") { return ParsedFile.mark(of: way, inJSON: text) }
            let documents = try YAML.documents(text, file: file)
            guard documents.indices.contains(document) else { return mark }
            return documents[document].keyMark(of: way) ?? documents[document].nearestMark(of: way)
        } catch {
            // The file was read before; if it cannot be now, the object's own place is the best there is.
            return mark
        }
    }
}
