internal import Model

/// Kubernetes' own types: addresses and networks, URLs, quantities, versions.
extension Library {
    static let addresses: [Overload] = addressMakers + addressQuestions + networks

    private static func address(_ text: String) -> Result<IPAddress, LibraryFault> {
        let quoted = GoNumber.quoted(text)
        guard let address = IPAddress(text) else {
            if text.utf8.contains(0x25) {
                return .failure(LibraryFault("IP address \(quoted) with zone value is not allowed"))
            }
            return .failure(
                LibraryFault(
                    "IP Address \(quoted) parse error during conversion from string: "
                        + "ParseAddr(\(quoted)): unable to parse IP"))
        }
        if address.isMapped {
            return .failure(LibraryFault("IPv4-mapped IPv6 address \(quoted) is not allowed"))
        }
        return .success(address)
    }

    private static func network(_ text: String) -> Result<IPPrefix, LibraryFault> {
        let quoted = GoNumber.quoted(text)
        guard let prefix = IPPrefix(text) else {
            return .failure(
                LibraryFault(
                    "network address parse error during conversion from string: "
                        + "network address parse error during conversion from string: "
                        + "netip.ParsePrefix(\(quoted)): no such network"))
        }
        if prefix.address.isMapped {
            return .failure(
                LibraryFault(
                    "network address parse error during conversion from string: "
                        + "IPv4-mapped IPv6 address \(quoted) is not allowed"))
        }
        return .success(prefix)
    }

    private static let addressMakers: [Overload] =
        text("ip", ["string_to_ip": "(string) -> net.IP"]) { LibraryFault.value(address($0)) { .ip($0) } }
        + text("ip.isCanonical", ["ip_is_canonical": "(string) -> bool"]) { text in
            LibraryFault.value(address(text)) { .bool($0.description == text) }
        }
        + text("isIP", ["is_ip": "(string) -> bool"]) { text in
            if case .success = address(text) { .bool(true) } else { .bool(false) }
        }
        + text("cidr", ["string_to_cidr": "(string) -> net.CIDR"]) { LibraryFault.value(network($0)) { .cidr($0) } }
        + text("isCIDR", ["is_cidr": "(string) -> bool"]) { text in
            if case .success = network(text) { .bool(true) } else { .bool(false) }
        }

    private static let addressQuestions: [Overload] =
        question("family", "ip_family", "int") { .int($0.isIPv4 ? 4 : 6) }
        + question("isUnspecified", "ip_is_unspecified") { .bool($0.isUnspecified) }
        + question("isLoopback", "ip_is_loopback") { .bool($0.isLoopback) }
        + question("isLinkLocalMulticast", "ip_is_link_local_multicast") { .bool($0.isLinkLocalMulticast) }
        + question("isLinkLocalUnicast", "ip_is_link_local_unicast") { .bool($0.isLinkLocalUnicast) }
        + question("isGlobalUnicast", "ip_is_global_unicast") { .bool($0.isGlobalUnicast) }

    private static func question(
        _ name: String, _ id: String, _ result: String = "bool",
        _ body: @escaping @Sendable (IPAddress) -> CELValue
    ) -> [Overload] {
        [
            Overload(name, id: id, "net.IP.() -> \(result)") { arguments in
                if case .ip(let address) = arguments[0] { body(address) } else { .noOverload }
            }
        ]
    }

    private static let networks: [Overload] =
        function(
            "containsIP",
            [
                "cidr_contains_ip_string": "net.CIDR.(string) -> bool",
                "cidr_contains_ip_ip": "net.CIDR.(net.IP) -> bool",
            ]
        ) { arguments in
            switch (arguments[0], arguments[1]) {
            case (.cidr(let network), .ip(let address)): .bool(network.contains(address))
            case (.cidr(let network), .string(let text)):
                LibraryFault.value(address(text)) { .bool(network.contains($0)) }
            default: .noOverload
            }
        }
        + function(
            "containsCIDR",
            [
                "cidr_contains_cidr_string": "net.CIDR.(string) -> bool",
                "cidr_contains_cidr": "net.CIDR.(net.CIDR) -> bool",
            ]
        ) { arguments in
            switch (arguments[0], arguments[1]) {
            case (.cidr(let outer), .cidr(let inner)): .bool(outer.contains(inner))
            case (.cidr(let outer), .string(let text)):
                LibraryFault.value(network(text)) { .bool(outer.contains($0)) }
            default: .noOverload
            }
        }
        + function("ip", ["cidr_ip": "net.CIDR.() -> net.IP"]) { arguments in
            if case .cidr(let network) = arguments[0] { .ip(network.address) } else { .noOverload }
        }
        + function("prefixLength", ["cidr_prefix_length": "net.CIDR.() -> int"]) { arguments in
            if case .cidr(let network) = arguments[0] { .int(Int64(network.bits)) } else { .noOverload }
        }
        + function("masked", ["cidr_masked": "net.CIDR.() -> net.CIDR"]) { arguments in
            if case .cidr(let network) = arguments[0] { .cidr(network.masked) } else { .noOverload }
        }

    /// Functions of one string.
    private static func text(
        _ name: String, _ declarations: KeyValuePairs<String, String>,
        _ body: @escaping @Sendable (String) -> CELValue
    ) -> [Overload] {
        function(name, declarations) { arguments in
            if case .string(let text) = arguments[0] { body(text) } else { .noOverload }
        }
    }

    static let urls: [Overload] =
        text("url", ["string_to_url": "(string) -> kubernetes.URL"]) { text in
            do throws(URLValue.Fault) {
                return .url(try URLValue(text))
            } catch {
                return .error("URL parse error during conversion from string: \(error.message)")
            }
        }
        + text("isURL", ["is_url_string": "(string) -> bool"]) { text in
            do throws(URLValue.Fault) {
                _ = try URLValue(text)
                return .bool(true)
            } catch {
                return .bool(false)
            }
        }
        + part("getScheme", "url_get_scheme") { .string($0.scheme) }
        + part("getHost", "url_get_host") { .string($0.host) }
        + part("getHostname", "url_get_hostname") { .string($0.hostname) }
        + part("getPort", "url_get_port") { .string($0.port) }
        + part("getEscapedPath", "url_get_escaped_path") { .string($0.escapedPath) }
        + part("getQuery", "url_get_query", "map(string, list(string))") { url in
            var map = CELMap()
            for (name, values) in url.parameters { _ = map.insert(.strings(values), at: .string(name)) }
            return .map(map)
        }

    private static func part(
        _ name: String, _ id: String, _ result: String = "string",
        _ body: @escaping @Sendable (URLValue) -> CELValue
    ) -> [Overload] {
        [
            Overload(name, id: id, "kubernetes.URL.() -> \(result)") { arguments in
                if case .url(let url) = arguments[0] { body(url) } else { .noOverload }
            }
        ]
    }

    static let versions: [Overload] =
        function(
            "semver",
            [
                "string_to_semver": "(string) -> kubernetes.Semver",
                "string_bool_to_semver": "(string, bool) -> kubernetes.Semver",
            ]
        ) { arguments in
            guard case .string(let text) = arguments[0] else { return .noOverload }
            var isNormalized = false
            if arguments.count > 1, case .bool(let value) = arguments[1] { isNormalized = value }
            return SemanticVersion(text, normalized: isNormalized).map { .semver($0) }
                ?? .error("\(GoNumber.quoted(text)) is no semantic version: wanted major.minor.patch")
        }
        + function(
            "isSemver",
            ["is_semver_string": "(string) -> bool", "is_semver_string_bool": "(string, bool) -> bool"]
        ) { arguments in
            guard case .string(let text) = arguments[0] else { return .noOverload }
            var isNormalized = false
            if arguments.count > 1, case .bool(let value) = arguments[1] { isNormalized = value }
            return .bool(SemanticVersion(text, normalized: isNormalized) != nil)
        }
        + versionNumber("major", 0) + versionNumber("minor", 1) + versionNumber("patch", 2)
        + versionOrder("isGreaterThan", "semver_is_greater_than", "bool") { .bool($0 > 0) }
        + versionOrder("isLessThan", "semver_is_less_than", "bool") { .bool($0 < 0) }
        + versionOrder("compareTo", "semver_compare_to", "int") { .int(Int64($0)) }

    private static func versionNumber(_ name: String, _ index: Int) -> [Overload] {
        [
            Overload(name, id: "semver_\(name)", "kubernetes.Semver.() -> int") { arguments in
                guard case .semver(let version) = arguments[0] else { return .noOverload }
                return .int(Int64(clamping: version.numbers[index]))
            }
        ]
    }

    private static func versionOrder(
        _ name: String, _ id: String, _ result: String, _ body: @escaping @Sendable (Int) -> CELValue
    ) -> [Overload] {
        [
            Overload(name, id: id, "kubernetes.Semver.(kubernetes.Semver) -> \(result)") { arguments in
                guard case .semver(let left) = arguments[0], case .semver(let right) = arguments[1] else {
                    return .noOverload
                }
                return body(left.compare(to: right))
            }
        ]
    }
}

/// Why a text is no value of a library's type.
struct LibraryFault: Error {
    var message: String

    init(_ message: String) { self.message = message }

    static func value<Success>(
        _ result: Result<Success, LibraryFault>, _ make: (Success) -> CELValue
    ) -> CELValue {
        switch result {
        case .success(let value): make(value)
        case .failure(let fault): .error(fault.message)
        }
    }
}
