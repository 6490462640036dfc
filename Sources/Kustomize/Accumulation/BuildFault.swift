/// Why a build ended.
enum BuildFault: Error {
    /// A base's repository has to be fetched first.
    case needs(RemoteBase)
    case failed(KustomizeError)

    /// Runs what can only fail.
    static func lift<Value>(_ body: () throws(KustomizeError) -> Value) throws(BuildFault) -> Value {
        do {
            return try body()
        } catch {
            throw .failed(error)
        }
    }
}
