import Cluster
import Testing

@testable import Server

@Suite("Who decides for policies")
struct AccessDeciderTests {
    @Test("J10: policies that ask who may do what get the answers that requests get")
    func decides() throws {
        let access = Access(
            token: AccessToken(secret: "a"),
            certificates: ClientCertificates(
                authority: { preconditionFailure("nobody has one") }, clock: SystemClock()),
            serviceAccounts: ServiceAccountTokens(
                TokenKey(), cluster: try TestServer.registry(), clock: SystemClock()))
        func refusal(_ groups: [String], _ verb: String, _ subject: AccessRequest.Subject) -> String? {
            let user = Requester(name: "ada", groups: groups)
            return access.refusal(of: AccessRequest(user: user, verb: verb, subject: subject))
        }
        let pods = AccessRequest.Subject.resource(
            group: "", resource: "pods", subresource: "", namespace: "default", name: "")
        #expect(refusal([User.administratorGroup], "create", pods) == nil)
        #expect(refusal([User.authenticatedGroup], "create", pods) == Access.refusal)
        #expect(refusal([], "get", .path("/healthz")) == nil)
        #expect(refusal([User.monitoringGroup], "get", .path("/metrics")) == nil)
        #expect(refusal([], "get", .path("/metrics")) == Access.refusal)
    }
}
