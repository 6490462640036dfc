/// Why a patch could not be applied.
package struct PatchError: Error, Hashable, CustomStringConvertible {
    package enum Kind { case malformed, failed, unsupported }

    package var kind: Kind
    package var message: String

    package init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
