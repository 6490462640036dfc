/// A JSON value together with its compact text, which is made once, when it is first asked for.
package protocol EncodedJSON: AnyObject, Sendable {
    var json: JSON { get }
    var bytes: [UInt8] { get }
    /// How many bytes there are, without touching them.
    var byteCount: Int { get }
}
