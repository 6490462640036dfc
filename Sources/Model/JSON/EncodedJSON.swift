/// Something that has the compact text of a JSON value, or makes it once, when it is first asked for.
package protocol EncodedJSON: AnyObject, Sendable {
    var bytes: [UInt8] { get }
}
