/// Why a patch was not applied.
package struct PatchError: Error, Hashable, CustomStringConvertible {
    package enum Kind {
        /// The patch itself is wrong: 400.
        case malformed
        /// It has more operations than are taken: 413.
        case tooLarge
        /// It does not fit the object: 422.
        case failed
        /// A `test` operation did not hold: 422, as what does not fit.
        case untrue
        /// The kind of object does not take this kind of patch: 415.
        case unsupported
        /// A strategic merge patch that Kubernetes' own code gives up on without a name for it: 500
        /// (`interpretStrategicMergePatchError` lets all errors through that are none of a few).
        case unexpected
    }

    package var kind: Kind
    package var message: String

    package init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
