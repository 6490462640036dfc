/// A request, whichever version of HTTP it came by.
struct IncomingRequest: Sendable {
    let method: String
    /// Path and query, as they were sent.
    let target: String
    let headers: RequestHeaders
    let content: any RequestContent
    /// What the client showed for itself when it connected.
    var certificates: PeerCertificates?
}

/// What comes after the head of a request: its body, and the news that whoever sent it has gone.
protocol RequestContent: Sendable {
    /// All of the body; nothing where that was read already.
    ///
    /// - Parameter limit: in bytes.
    /// - Throws: `BodyTooLong`; what ended the connection.
    func collect(upTo limit: Int) async throws -> [UInt8]

    /// Runs what writes the answer, and cancels it when the client goes away. What is left of the body is lost, and the
    /// connection ends with the answer, since it is read while the answer is written.
    ///
    /// - Throws: `CancellationError` when the client went away; whatever the operation throws.
    func whileClientStays(_ operation: @escaping @Sendable () async throws -> Void) async throws
}

/// A body is longer than what is accepted.
struct BodyTooLong: Error {}
