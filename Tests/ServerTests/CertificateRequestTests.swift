import Model
import Testing

@testable import Server

@Suite("Requests for certificates over HTTP") struct CertificateRequestTests {
    private static let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"

    private static func request(signer: String) -> String {
        // The outline of one: what is signed, how, and the signature.
        let content = Base64.encode([0x30, 7, 0x30, 0, 0x30, 0, 0x03, 1, 0])
        let pem = "-----BEGIN CERTIFICATE REQUEST-----\n\(content)\n-----END CERTIFICATE REQUEST-----\n"
        let request: JSON = [
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": ["generateName": "r-"],
            "spec": [
                "request": .string(Base64.encode(pem.utf8)), "signerName": .string(signer), "usages": ["any"],
                "username": "eve", "uid": "0", "groups": ["system:nodes"], "extra": ["team": ["a"]],
            ],
        ]
        return request.text()
    }

    @Test("whose a request is, the server knows, whatever it says")
    func requester() async throws {
        try await TestServer.run { server in
            let own = try await RawHTTP.send("POST", Self.path, to: server, body: Self.request(signer: "a.b/c"))
            #expect(own.status == 201)
            let user = User.administrator
            let spec = try own.json["spec"] ?? [:]
            #expect(spec["username"] == .string(user.name))
            #expect(spec["groups"] == .array(user.groups.map(JSON.string)))
            #expect(spec["uid"] == nil && spec["extra"] == nil)
            let other = try await RawHTTP.send(
                "POST", Self.path, to: server,
                headers: [
                    "Impersonate-User": "ada", "Impersonate-Uid": "7", "Impersonate-Group": "system:masters",
                    "Impersonate-Extra-Scopes": "view",
                ], body: Self.request(signer: "a.b/c"))
            #expect(other.status == 201)
            let ada = try other.json["spec"] ?? [:]
            #expect(ada["username"] == "ada" && ada["uid"] == "7" && ada["extra"] == ["scopes": ["view"]])
        }
    }

    @Test("a request is found by its signer, approved and shown as approved")
    func approval() async throws {
        try await TestServer.run { server in
            for signer in ["a.b/c", "a.b/d"] {
                let made = try await RawHTTP.send("POST", Self.path, to: server, body: Self.request(signer: signer))
                #expect(made.status == 201)
            }
            let found = try await RawHTTP.send(
                "GET", Self.path + "?fieldSelector=spec.signerName%3Da.b/c", to: server)
            #expect(try found.json["items"]?.array?.count == 1)
            var object = try #require(try found.json["items"]?[0])
            object["apiVersion"] = "certificates.k8s.io/v1"
            object["kind"] = "CertificateSigningRequest"
            object["status"] = ["conditions": [["type": "Approved", "status": "True"]]]
            let one = Self.path + "/" + (object[path: ["metadata", "name"]]?.string ?? "")
            let unchanged = try await RawHTTP.send("PUT", one, to: server, body: object.text())
            #expect(try unchanged.json["status"] == [:])
            let approved = try await RawHTTP.send("PUT", one + "/approval", to: server, body: object.text())
            #expect(approved.status == 200)
            let condition = try approved.json["status"]?["conditions"]?[0]
            #expect(condition?["type"] == "Approved" && condition?["lastUpdateTime"]?.string != nil)
            let read = try await RawHTTP.send("GET", one + "/approval", to: server)
            #expect(try read.json == approved.json)
            let denied = try await RawHTTP.send(
                "PATCH", one + "/status", to: server, headers: ["Content-Type": "application/merge-patch+json"],
                body: #"{"status": {"conditions": []}}"#)
            #expect(denied.status == 422)
        }
    }
}
