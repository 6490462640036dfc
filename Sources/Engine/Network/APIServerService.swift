import Cluster
import Kinds
import Model

/// The Service `kubernetes` in the namespace `default`, by which clients find the API server of their cluster.
///
/// It is headless: the server has an address already, and the port 443 of another one is not everybody's to take.
enum APIServerService {
    private static let name = "kubernetes"
    private static let labels: JSON = ["component": "apiserver", "provider": "kubernetes"]

    /// What is applied once the server listens: the Service and, in both forms, its one endpoint.
    static func objects(address: String, port: Int) -> [JSON] {
        func object(_ apiVersion: String, _ kind: String, _ labels: JSON, _ rest: JSON) -> JSON {
            var object: JSON = [
                "apiVersion": .string(apiVersion), "kind": .string(kind),
                "metadata": ["name": .string(name), "namespace": "default", "labels": labels],
            ]
            for member in rest.object ?? JSONObject() { object[member.key] = member.value }
            return object
        }
        let endpoint: JSON = ["name": "https", "port": .int(Int64(port)), "protocol": "TCP"]
        var servicePort = endpoint
        servicePort["targetPort"] = .int(Int64(port))
        let isIPv6 = address.contains(":")
        return [
            object("v1", "Service", labels, ["spec": ["clusterIP": "None", "ports": [servicePort]]]),
            object(
                "v1", "Endpoints", [.init(stringLiteral: MirroredSlicePlan.skipLabel): "true"],
                ["subsets": [["addresses": [["ip": .string(address)]], "ports": [endpoint]]]]),
            object(
                "discovery.k8s.io/v1", "EndpointSlice", ["kubernetes.io/service-name": .string(name)],
                [
                    "addressType": isIPv6 ? "IPv6" : "IPv4",
                    "endpoints": [["addresses": [.string(address)], "conditions": ["ready": true]]],
                    "ports": [endpoint],
                ]),
        ]
    }
}
