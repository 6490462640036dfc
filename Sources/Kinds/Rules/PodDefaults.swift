import Model

/// Defaults of pods and pod templates that depend on other fields (semantics-api F).
enum PodDefaults {
    /// Those that hold for templates too.
    static func fill(_ spec: inout JSON) {
        if spec["securityContext"] == nil { spec["securityContext"] = .emptyObject }
        // The older name of the same field (`serviceAccount`) mirrors it.
        if let account = spec["serviceAccountName"] ?? spec["serviceAccount"], account != "" {
            spec.setDefault("serviceAccountName", account)
            spec["serviceAccount"] = spec["serviceAccountName"]
        }
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            spec.changeEach(list, fillContainer)
        }
        spec.changeEach("volumes", fillVolume)
        spec.change("overhead") { $0.roundUpAmounts() }
        spec.change("resources") { $0.roundUpRequirements() }
    }

    /// Of pods only: what is limited is requested, unless it says otherwise.
    static func fillRequests(_ container: inout JSON) {
        guard let limits = container["resources"]?["limits"]?.object, !limits.isEmpty else { return }
        container.change("resources") { resources in
            var requests = resources["requests"] ?? .emptyObject
            for limit in limits where requests[limit.key] == nil { requests[limit.key] = limit.value }
            resources["requests"] = requests
        }
    }

    private static func fillContainer(_ container: inout JSON) {
        let image = container["image"]?.string ?? ""
        container.setDefault("imagePullPolicy", .string(pullPolicy(of: image)))
        container.change("resources") { $0.roundUpRequirements() }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            container.change(probe) { probe in
                // Zero stands for none in these fields.
                for (name, value) in probeDefaults where probe[name] == 0 { probe[name] = .int(value) }
            }
        }
    }

    private static let probeDefaults: [(String, Int64)] = [
        ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
    ]

    private static func fillVolume(_ volume: inout JSON) {
        if volume.object?.count == 1, volume["name"] != nil { volume["emptyDir"] = .emptyObject }
        volume.change("ephemeral") { $0.change("volumeClaimTemplate", PersistentVolumeClaimRules.roundUp) }
        if let reference = volume["image"]?["reference"]?.string, !reference.isEmpty {
            volume.change("image") { $0.setDefault("pullPolicy", .string(pullPolicy(of: reference))) }
        }
    }

    /// `Always` for the tag `latest`, which is also what no tag means; else `IfNotPresent`.
    static func pullPolicy(of image: String) -> String {
        let parts = image.split(separator: "@", maxSplits: 1)
        guard let name = parts.first else { return "IfNotPresent" }
        let last = name.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let tag = last.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        if let tag { return tag == "latest" ? "Always" : "IfNotPresent" }
        return parts.count == 1 ? "Always" : "IfNotPresent"
    }
}
