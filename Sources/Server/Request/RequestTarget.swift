import Hummingbird

/// What the first line of a request says, taken apart once.
struct RequestTarget: Sendable {
    /// Without the query.
    let text: String
    let path: APIPath
    let query: QueryParameters
    let attributes: RequestAttributes

    init(_ request: Request) {
        let parts = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        text = String(parts[0])
        path = APIPath(text)
        query = QueryParameters(parts.count > 1 ? String(parts[1]) : nil)
        attributes = RequestAttributes(method: request.method.rawValue, path: text, path, query)
    }
}
