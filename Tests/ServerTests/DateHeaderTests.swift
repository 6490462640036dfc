import Cluster
import Model
import Testing

@testable import Server

@Suite("The date of answers")
struct DateHeaderTests {
    @Test(
        "it is written as HTTP has it (RFC 9110, 5.6.7), and follows the clock both ways",
        arguments: [
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("2026-11-27T09:05:07.999Z", "Fri, 27 Nov 2026 09:05:07 GMT"),
            ("2028-02-29T23:59:59Z", "Tue, 29 Feb 2028 23:59:59 GMT"),
        ])
    func words(time: String, text: String) throws {
        let date = DateHeader()
        let now = try #require(Timestamp(time))
        #expect(date.text(at: now) == text)
        #expect(date.text(at: now + .seconds(86400)) != text)
        #expect(date.text(at: now) == text)
    }

    @Test("every answer bears the time, refusals and streams too", arguments: ["/livez", "/nowhere", "/api/v1/pods"])
    func header(path: String) async throws {
        try await TestServer.run { server in
            for target in [path, path + "?watch=true&timeoutSeconds=1"] {
                let before = SystemClock().now
                let answer = try await RawHTTP.send("GET", target, to: server)
                let possible = (before.seconds...SystemClock().now.seconds).map { Timestamp(seconds: $0).httpDate }
                #expect(possible.contains(try #require(answer.header("date"))))
            }
        }
    }
}
