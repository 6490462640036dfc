import Model

/// What the first line of a request says, taken apart once.
struct RequestTarget: Sendable {
    /// Without the query.
    let text: String
    let path: APIPath
    let query: QueryParameters
    let attributes: RequestAttributes

    /// - Parameter target: path and query, as they were sent.
    init(method: String, target: String) {
        let mark = target.firstIndex(ofASCII: "?")
        text = mark.map { String(target[..<$0]) } ?? target
        path = APIPath(text)
        query = QueryParameters(mark.map { String(target[target.utf8.index(after: $0)...]) })
        attributes = RequestAttributes(method: method, path: text, path, query)
    }
}
