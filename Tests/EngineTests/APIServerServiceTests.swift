import Cluster
import Kinds
import Model
import Testing

@testable import Engine

@Suite("The Service kubernetes")
struct APIServerServiceTests {
    @Test(
        "it says where the API is served, follows the server to another port, and is written only then",
        arguments: [
            "127.0.0.1", "::1",
        ])
    func follows(address: String) async throws {
        let registry = try await TestRegistry()
        func publish(_ port: Int) async throws -> Object {
            for object in APIServerService.objects(address: address, port: port) {
                try await registry.patch(Object(viewing: object).key, .apply(object, force: true))
            }
            return try await registry.get(EndpointSlice.key("kubernetes", in: "default"))
        }
        let first = try await publish(6443)
        #expect(first.json[path: ["ports"]]?[0]?["port"] == 6443)
        #expect(first.json["endpoints"]?[0]?["addresses"] == [.string(address)])
        let service: Service = try await registry.get(Service.key("kubernetes", in: "default")).view()
        #expect(service.spec.clusterIP == "None")
        #expect(try await publish(6443) == first)
        #expect(try await publish(7443).json[path: ["ports"]]?[0]?["port"] == 7443)
        let endpoints = try await registry.get(Endpoints.key("kubernetes", in: "default"))
        #expect(endpoints.json["subsets"]?[0]?["ports"]?[0]?["port"] == 7443)
    }
}
