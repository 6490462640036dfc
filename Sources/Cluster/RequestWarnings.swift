/// Where warnings about the current request go (`Warning: 299` headers, C22).
package enum RequestWarnings {
    /// Set by whoever makes the request and shows warnings; told while the request runs.
    @TaskLocal package static var sink: (@Sendable (String) -> Void)?

    package static func add(_ text: String) {
        sink?(text)
    }
}
