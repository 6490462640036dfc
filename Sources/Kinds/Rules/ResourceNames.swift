import Model

/// The names under which amounts of resources are counted.
package enum ResourceName {
    /// What is limited for pods: `requests.cpu`.
    private static let compute: Set<String> = [
        "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
    ]
    private static let objects: Set<String> = [
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    ]
    private static let storage: Set<String> = [
        "ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage", "requests.storage",
    ]
    private static let container: Set<String> = ["cpu", "memory", "ephemeral-storage"]

    /// Unprefixed names, and those of kubernetes.io.
    package static func isNative(_ name: String) -> Bool { !name.contains("/") || name.contains("kubernetes.io/") }

    static func isHugePages(_ name: String) -> Bool { name.hasPrefix("hugepages-") }

    static func isStandardForQuota(_ name: String) -> Bool {
        compute.contains(name) || objects.contains(name) || storage.contains(name) || isHugePages(name)
            || name.hasPrefix("requests.hugepages-")
    }

    static func isStandard(_ name: String) -> Bool { name == "storage" || isStandardForQuota(name) }

    static func isStandardForContainers(_ name: String) -> Bool { container.contains(name) || isHugePages(name) }

    /// What a device plugin offers: `example.com/gpu`.
    package static func isExtended(_ name: String) -> Bool {
        !isNative(name) && !name.hasPrefix("requests.") && NameSyntax.qualifiedName("requests." + name).isEmpty
    }

    /// What cannot be divided.
    static func isInteger(_ name: String) -> Bool { objects.contains(name) || isExtended(name) }

    static func allowsOvercommitment(_ name: String) -> Bool { isNative(name) && !isHugePages(name) }

    /// Whether a quota that counts only some pods or claims can limit a resource.
    static func isValid(_ name: String, inScope scope: String) -> Bool {
        let pods: Set<String> = ["pods", "count/pods"]
        switch scope {
        case "Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity":
            return pods.contains(name) || compute.contains(name)
        case "BestEffort": return pods.contains(name)
        case "VolumeAttributesClass":
            return ["persistentvolumeclaims", "count/persistentvolumeclaims", "requests.storage"].contains(name)
        default: return true
        }
    }
}

extension FieldErrors {
    /// - Returns: whether it is a qualified name.
    @discardableResult
    mutating func checkResourceName(_ name: String, _ path: FieldPath) -> Bool {
        let faults = NameSyntax.qualifiedName(name)
        invalid(path, name, faults)
        if faults.isEmpty, !name.contains("/"), !ResourceName.isStandard(name) {
            invalid(path, .string(name), "must be a standard resource type or fully qualified")
        }
        return faults.isEmpty
    }

    mutating func checkContainerResourceName(_ name: String, _ path: FieldPath) {
        checkResourceName(name, path)
        if !name.contains("/") {
            if !ResourceName.isStandardForContainers(name) {
                invalid(path, .string(name), "must be a standard resource for containers")
            }
        } else if !ResourceName.isNative(name), !ResourceName.isExtended(name) {
            invalid(path, .string(name), "doesn't follow extended resource name standard")
        }
    }

    mutating func checkNotNegative(_ amount: Quantity, _ path: FieldPath) {
        if amount < .zero {
            invalid(path, .string(amount.description), "must be greater than or equal to 0")
        }
    }

    mutating func checkPositive(_ amount: Quantity, _ path: FieldPath) {
        if !(Quantity.zero < amount) { invalid(path, .string(amount.description), "must be greater than zero") }
    }

    /// An amount of a resource: not negative, and whole where the resource is.
    mutating func checkAmount(_ amount: Quantity, of name: String, _ path: FieldPath) {
        checkNotNegative(amount, path)
        if ResourceName.isInteger(name), amount.milliValue % 1000 != 0 {
            invalid(path, .string(amount.description), "must be an integer")
        }
    }
}
