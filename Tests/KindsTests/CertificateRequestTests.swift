import Kinds
import Model
import Testing

extension Manifests {
    /// For `CN=ada`, signed with a key that was thrown away.
    static let signingRequest = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIHJMHACAQAwDjEMMAoGA1UEAwwDYWRhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
        QgAEfTa6b6X8y7lSVYn8dyrX/WuMdKi1js+way2LOI3ABOoh822osA/8pmy1y5EY
        DpzHQgo4tBl0WW8yAbPKVdTw0KAAMAoGCCqGSM49BAMCA0kAMEYCIQCQP3ZWj6oV
        536C1E6qMVxvJ5dot7ofCxKMzUx0/Zj0BAIhANlyXc0to8DSCtDhCgnUA4T1+dnY
        b8CAFhxextqSFK3G
        -----END CERTIFICATE REQUEST-----

        """
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBbzCCARWgAwIBAgIUb4IzqCP/fy6LOFPCn1lHyyUnJowwCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBYTAgFw0yNjExMjcwOTU2MzhaGA8yMTI2MTEwMzA5NTYzOFow
        DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH02um+l/Mu5
        UlWJ/Hcq1/1rjHSotY7PsGstiziNwATqIfNtqLAP/KZstcuRGA6cx0IKOLQZdFlv
        MgGzylXU8NCjUzBRMB0GA1UdDgQWBBQbBOK3JX78v7SjdDDESHUhSykMTjAfBgNV
        HSMEGDAWgBQbBOK3JX78v7SjdDDESHUhSykMTjAPBgNVHRMBAf8EBTADAQH/MAoG
        CCqGSM49BAMCA0gAMEUCIQDAO+szhnLz0/CEfQX8xIq5sXeUbtClqUFvjgqAiz1w
        /gIgFKE4dCDiPBezE917HJ0+w2FcqFFwqr+jjAcMJ8M6cfY=
        -----END CERTIFICATE-----

        """
    static let certificateRequest = text(
        """
        {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "ada:1"},
         "spec": {"request": "\(base64(signingRequest))", "signerName": "example.com/clients",
                  "expirationSeconds": 3600, "usages": ["client auth"]}}
        """)

    static func base64(_ text: String) -> String { Base64.encode(text.utf8) }
}

@Suite("Requests for certificates are refused with Kubernetes' messages, and decided in two ways")
struct CertificateRequestTests {
    private static let request = Manifests.certificateRequest
    private static let signer = "spec.signerName: Invalid value:"

    /// A text with a PEM block of bytes that are no request.
    private static func block(_ type: String, _ content: String) -> String {
        Manifests.base64("-----BEGIN \(type)-----\n\(content)\n-----END \(type)-----\n")
    }

    static let creations: [Refusal] = [
        Refusal(
            request, "", ".spec.request", #""eA==""#,
            #"spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST"#),
        Refusal(
            request, "", ".spec.request", nil,
            "spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST"),
        Refusal(
            request, "", ".spec.request", "\"\(block("CERTIFICATE REQUEST", "MAA="))\"",
            "spec.request: Invalid value: \"\(block("CERTIFICATE REQUEST", "MAA="))\": asn1: structure error: not a "
                + "certificate signing request (PKCS#10)"),
        Refusal(
            request, "", ".spec.request", "\"\(Manifests.base64("a note\n" + Manifests.signingRequest))\""),
        Refusal(request, "", ".spec.usages", "[]", "spec.usages: Required value"),
        Refusal(
            request, "", ".spec.usages", #"["any", "any"]"#, #"spec.usages[1]: Duplicate value: "any""#),
        Refusal(request, "", ".spec.signerName", nil, "spec.signerName: Required value"),
        Refusal(
            request, "", ".spec.signerName", #""kubernetes.io/legacy-unknown""#,
            #"\#(signer) "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version"#),
        Refusal(
            request, "", ".spec.signerName", #""clients""#,
            #"\#(signer) "clients": must be a fully qualified domain and path of the form "#
                + "'example.com/signer-name'"),
        Refusal(
            request, "", ".spec.signerName", #""example/clients""#,
            #"\#(signer) "example": should be a domain with at least two segments separated by dots"#),
        Refusal(
            request, "", ".spec.expirationSeconds", "599",
            "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)"
        ),
        Refusal(
            request, "C24", ".metadata.name", #""a/b""#,
            #"metadata.name: Invalid value: "a/b": may not contain '/'"#),
    ]

    @Test("creation", arguments: creations)
    func create(row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
    }

    @Test("a usage that nobody knows is refused with those that there are")
    func usages() throws {
        let messages = try Self.request.setting(".spec.usages", ["magic"]).createErrors
        #expect(messages.count == 1)
        #expect(
            messages[0].hasPrefix(
                #"spec.usages[0]: Unsupported value: "magic": supported values: "any", "cert sign", "client auth", "#))
        #expect(messages[0].hasSuffix(#""server auth", "signing", "timestamping""#))
    }

    // MARK: Decisions

    private static let approval: JSON = [
        "type": "Approved", "status": "True", "reason": "Known", "lastUpdateTime": "2026-01-01T00:00:00Z",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    ]
    private static let approved = request.setting(".status", ["conditions": [approval]])
    private static let now: JSON = "2023-11-14T22:13:20Z"

    private static func updated(_ object: JSON, through subresource: String?) throws -> JSON {
        let strategy = try object.strategy
        let prepared = strategy.prepareForUpdate(object, from: approved, subresource: subresource)
        return strategy.stamped(
            prepared, from: approved, subresource: subresource, at: Timestamp(seconds: 1_700_000_000))
    }

    @Test("an update of the object changes neither what is asked nor what was decided")
    func object() throws {
        let changed = Self.approved.setting(".spec.signerName", "other.example.com/a").setting(".status", [:])
            .setting(".metadata.labels", ["a": "b"])
        #expect(try Self.updated(changed, through: nil) == Self.approved.setting(".metadata.labels", ["a": "b"]))
    }

    @Test("an approval changes conditions alone; the server writes down when")
    func approve() throws {
        let changed = Self.approved.setting(".spec.signerName", "other.example.com/a")
            .setting(".status.certificate", .string(Manifests.base64(Manifests.certificate)))
            .setting(
                ".status.conditions",
                [
                    ["type": "Approved", "status": "True", "reason": "Sure"],
                    ["type": "Seen", "status": "False", "lastUpdateTime": .null],
                ])
        let expected = Self.approved.setting(
            ".status.conditions",
            [
                [
                    "type": "Approved", "status": "True", "reason": "Sure", "lastUpdateTime": Self.now,
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ],
                ["type": "Seen", "status": "False", "lastUpdateTime": Self.now, "lastTransitionTime": Self.now],
            ])
        #expect(try Self.updated(changed, through: "approval") == expected)
    }

    @Test("who signs changes all of the status but approvals, which stay as they were")
    func sign() throws {
        let certificate = JSON.string(Manifests.base64(Manifests.certificate))
        let changed = Self.approved.setting(".spec.usages", ["any"]).setting(".status.certificate", certificate)
            .setting(".status.conditions", [["type": "Approved", "status": "True", "reason": "Mine"]])
        #expect(
            try Self.updated(changed, through: "status")
                == Self.approved.setting(".status.certificate", certificate))
    }

    struct Decision: Sendable, CustomTestStringConvertible {
        var subresource: String
        var status: JSON
        var messages: [String]

        init(_ subresource: String, _ status: JSON, _ messages: String...) {
            self.subresource = subresource
            self.status = status
            self.messages = messages
        }

        var testDescription: String { "\(subresource) \(status.text())" }
    }

    private static let place = "status.conditions"
    private static let certificateFault = #"status.certificate: Invalid value: "<certificate data>":"#

    static let decisions = [
        Decision("approval", ["conditions": [approval, ["type": "Seen", "status": "Unknown"]]]),
        Decision(
            "approval", ["conditions": []],
            #"\#(place): Forbidden: updates may not remove a condition of type "Approved""#),
        Decision(
            "approval", ["conditions": [approval, ["type": "Denied", "status": "True"]]],
            #"\#(place): Invalid value: "Denied": Approved and Denied conditions are mutually exclusive"#),
        Decision(
            "approval", ["conditions": [approval, ["type": "Failed", "status": "False"]]],
            #"\#(place)[1].status: Unsupported value: "False": supported values: "True""#),
        Decision(
            "approval", ["conditions": [approval, ["type": "", "status": "Maybe"], ["type": "Seen"]]],
            "\(place)[1].type: Required value",
            #"\#(place)[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown""#,
            "\(place)[2].status: Required value"),
        Decision(
            "approval", ["conditions": [approval, approval]],
            #"\#(place)[1].type: Duplicate value: "Approved""#),
        Decision(
            "status", ["conditions": []],
            #"\#(place): Forbidden: updates may not remove a condition of type "Approved""#),
        Decision(
            "status", ["conditions": [approval, ["type": "Denied", "status": "True"]]],
            #"\#(place): Invalid value: "Denied": Approved and Denied conditions are mutually exclusive"#,
            #"\#(place): Forbidden: updates may not add a condition of type "Denied""#),
        Decision(
            "status", ["conditions": [approval], "certificate": "eA=="],
            "\(certificateFault) must contain at least one CERTIFICATE PEM block"),
        Decision(
            "status",
            ["conditions": [approval], "certificate": .string(Manifests.base64(Manifests.signingRequest))],
            #"\#(certificateFault) only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST""#),
        Decision(
            "status", ["conditions": [approval], "certificate": .string(block("CERTIFICATE", "a: b\n\nMAA="))],
            "\(certificateFault) no PEM block headers are permitted"),
        Decision(
            "status", ["conditions": [approval], "certificate": .string(block("CERTIFICATE", ""))],
            "\(certificateFault) found CERTIFICATE PEM block containing 0 certificates"),
        Decision(
            "status", ["conditions": [approval], "certificate": .string(block("CERTIFICATE", "MP8="))],
            "\(certificateFault) x509: malformed certificate"),
        Decision(
            "status",
            [
                "conditions": [approval],
                "certificate": .string(Manifests.base64(Manifests.certificate + Manifests.certificate)),
            ]),
    ]

    @Test("what may not be decided", arguments: decisions)
    func decide(row: Decision) throws {
        let object = Self.approved.setting(".status", row.status)
        let prepared = try Self.updated(object, through: row.subresource)
        let errors = try object.strategy.validateUpdate(
            prepared, from: Self.approved, subresource: row.subresource)
        #expect(errors.map(\.message) == row.messages)
    }

    @Test("an issued certificate stays")
    func reissue() throws {
        let issued = Self.approved.setting(
            ".status.certificate", .string(Manifests.base64(Manifests.certificate)))
        let other = issued.setting(
            ".status.certificate", .string(Manifests.base64(Manifests.certificate + Manifests.certificate)))
        let errors = try issued.strategy.validateUpdate(other, from: issued, subresource: "status")
        #expect(
            errors.map(\.message) == [
                "status.certificate: Forbidden: updates may not modify existing certificate content"
            ])
    }
}
