package import Kinds
package import Model

/// Marks objects as belonging to an Application, by Argo CD's tracking annotation.
package enum Tracking {
    package static let annotation = "argocd.argoproj.io/tracking-id"
    package static let syncOptionsAnnotation = "argocd.argoproj.io/sync-options"

    /// `app:group/Kind:namespace/name`.
    package static func id(of key: ObjectKey, in application: String) -> String {
        "\(application):\(inventoryEntry(key))"
    }

    /// The object as it is applied: with its tracking annotation.
    package static func mark(_ object: Object, for application: String) -> Object {
        var marked = object
        var metadata = marked.metadata
        metadata.annotations[annotation] = id(of: object.key, in: application)
        marked.metadata = metadata
        return marked
    }

    /// The Application that created a live object. An annotation copied along with its object (which then names another
    /// object) does not count.
    package static func owner(of object: Object) -> String? {
        guard let text = object.metadata.annotations[annotation], let end = text.firstIndex(of: ":") else { return nil }
        let application = String(text[..<end])
        return text == id(of: object.key, in: application) ? application : nil
    }

    /// `group/Kind:namespace/name`: an object in an inventory.
    package static func inventoryEntry(_ key: ObjectKey) -> String {
        "\(key.kind.group)/\(key.kind.kind):\(key.namespace)/\(key.name)"
    }

    package static func hasSyncOption(_ option: String, _ object: Object) -> Bool {
        let options = object.metadata.annotations[syncOptionsAnnotation] ?? ""
        return options.split(separator: ",").contains { $0.drop { $0 == " " } == option }
    }
}
