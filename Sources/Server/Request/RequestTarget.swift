import HTTPTypes
import HummingbirdCore
import Model

/// What the first line of a request says, taken apart once.
struct RequestTarget: Sendable {
    /// Without the query.
    let text: String
    let path: APIPath
    let query: QueryParameters
    let attributes: RequestAttributes

    init(_ request: Request) {
        let target = request.head.path ?? "/"
        let mark = target.firstIndex(ofASCII: "?")
        text = mark.map { String(target[..<$0]) } ?? target
        path = APIPath(text)
        query = QueryParameters(mark.map { String(target[target.utf8.index(after: $0)...]) })
        attributes = RequestAttributes(method: request.method.rawValue, path: text, path, query)
    }
}
