import Model

extension FieldErrors {
    /// What a pod's security context says for all containers: semantics-api F.
    mutating func checkPodSecurity(_ spec: PodSpec, _ path: FieldPath) {
        guard let context = spec.json["securityContext"] else { return }
        for (index, group) in context.listMember("supplementalGroups").enumerated() {
            guard let number = group.int, !(0...Int64(Int32.max)).contains(number) else { continue }
            invalid(path["supplementalGroups"][index], group, "must be between 0 and 2147483647, inclusive")
        }
        var seen: Set<String> = []
        for (index, json) in context.listMember("sysctls").enumerated() {
            let name = json.textMember("name")
            if name.isEmpty { continue }
            let path = path["sysctls"][index]["name"]
            if !NameSyntax.isSysctl(name) {
                let rule = "must have at most 253 characters and match regex \(NameSyntax.sysctlPattern)"
                invalid(path, .string(name), rule)
            } else if seen.contains(name) {
                duplicate(path, .string(name))
            }
            seen.insert(name)
        }
    }
}

extension NameSyntax {
    static let sysctlPattern = #"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"#

    /// The name of a kernel setting: `net.ipv4.ip_forward`, or the same with slashes.
    static func isSysctl(_ text: String) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        let segments = text.utf8.split(omittingEmptySubsequences: false) {
            ".".utf8.first == $0 || "/".utf8.first == $0
        }
        return segments.allSatisfy { segment in
            func isPlain(_ byte: UInt8) -> Bool {
                isAlphanumeric(byte) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
            guard let first = segment.first, let last = segment.last, isPlain(first), isPlain(last) else {
                return false
            }
            return segment.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
    }
}
