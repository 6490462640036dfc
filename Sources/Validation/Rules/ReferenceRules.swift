import Kinds
import Model

extension Rule {
    /// What objects name must be there.
    static let references = [
        Rule(
            "dangling-config-map", .warning, "A pod needs a ConfigMap that the repository does not have.",
            "The pod does not start before it is there. Where something else makes it, switch this rule off for the "
                + "object, or mark the reference `optional: true` if the pod can do without."
        ) { dangling(.configMap, in: $0) },
        Rule(
            "dangling-secret", .warning, "A pod needs a Secret that the repository does not have.",
            "The pod does not start before it is there. Secrets that a SealedSecret, an ExternalSecret or a Certificate "
                + "of the repository makes count as being there."
        ) { dangling(.secret, in: $0) },
        Rule(
            "dangling-key", .error, "A pod needs a key that its ConfigMap or Secret does not have.",
            "The pod does not start: its kubelet waits for the key."
        ) { subject in
            subject.workloads.flatMap { object in
                (object.pods?.configuration ?? []).compactMap { reference in
                    guard let key = reference.key, !reference.isOptional,
                        let target = subject.object(reference.kind, object.namespace, reference.name, near: object)
                    else { return nil }
                    let keys = configurationKeys(of: target)
                    guard !keys.contains(key) else { return nil }
                    let near = Spelling.nearest(to: key, among: keys).map { "; did you mean \"\($0)\"?" }
                    let known = keys.isEmpty ? "it has none" : "it has \(keys.sorted().joined(separator: ", "))"
                    return Hit(
                        object, reference.field,
                        "\(target.key) has no key \"\(key)\"\(near ?? "; \(known)")")
                }
            }
        },
        Rule(
            "dangling-service-account", .warning, "A pod runs as a ServiceAccount that the repository does not have.",
            "No pod is made before the ServiceAccount is there."
        ) { subject in
            subject.workloads.compactMap { object in
                guard let name = object.pods?.spec["serviceAccountName"]?.string, !name.isEmpty, name != "default",
                    subject.object(.serviceAccount, object.namespace, name, near: object) == nil,
                    let path = object.pods?.path
                else { return nil }
                return Hit(
                    object, "\(path).serviceAccountName",
                    missing("ServiceAccount", name, object.namespace, among: subject.objects(of: .serviceAccount)))
            }
        },
        Rule(
            "dangling-claim", .warning, "A pod mounts a PersistentVolumeClaim that the repository does not have.",
            "The pod stays Pending before the claim is there."
        ) { subject in
            subject.workloads.flatMap { object -> [Hit] in
                guard let pods = object.pods else { return [] }
                // A StatefulSet puts the claim of a template in the place of the volume of that name.
                let templates = Set(
                    (object.json[path: ["spec", "volumeClaimTemplates"]]?.array ?? []).compactMap {
                        $0[path: ["metadata", "name"]]?.string
                    })
                return (pods.spec["volumes"]?.array ?? []).enumerated().compactMap { position, volume in
                    guard let name = volume[path: ["persistentVolumeClaim", "claimName"]]?.string,
                        !templates.contains(volume["name"]?.string ?? ""),
                        subject.object(.claim, object.namespace, name, near: object) == nil
                    else { return nil }
                    return Hit(
                        object, "\(pods.path).volumes[\(position)].persistentVolumeClaim.claimName",
                        missing(
                            "PersistentVolumeClaim", name, object.namespace, among: subject.objects(of: .claim)))
                }
            }
        },
        Rule(
            "dangling-target", .warning,
            "An autoscaler or role binding names an object that the repository does not have.",
            "It does nothing before that object is there."
        ) { subject in
            subject.objects(of: .autoscaler).compactMap { autoscalerTarget($0, subject) }
                + (subject.objects(of: .roleBinding) + subject.objects(of: .clusterRoleBinding)).flatMap {
                    bindingTargets($0, subject)
                }
        },
    ]

    private static func dangling(_ kind: GroupKind, in subject: ValidationSubject) -> [Hit] {
        subject.workloads.flatMap { object -> [Hit] in
            var reported: Set<String> = []
            return (object.pods?.configuration ?? []).compactMap { reference in
                guard reference.kind == kind, !reference.isOptional,
                    subject.object(kind, object.namespace, reference.name, near: object) == nil,
                    !isMadeLater(reference.name, kind, object.namespace, subject),
                    reported.insert(reference.name).inserted
                else { return nil }
                let field = reference.key == nil ? reference.field : nameField(reference.field)
                return Hit(
                    object, field,
                    missing(kind.kind, reference.name, object.namespace, among: subject.objects(of: kind)))
            }
        }
    }

    /// The member beside a key that names the object.
    private static func nameField(_ field: String) -> String {
        field.hasSuffix(".key") && !field.contains(".items[") ? field.dropLast("key".count) + "name" : field
    }

    private static func missing(
        _ kind: String, _ name: String, _ namespace: String, among known: [SubjectObject]
    ) -> String {
        let elsewhere = known.filter { $0.name == name }.map(\.namespace).sorted()
        if !elsewhere.isEmpty {
            return "there is no \(kind) \(name) in namespace \(namespace); there is one in "
                + elsewhere.joined(separator: ", ")
        }
        let names = known.filter { $0.namespace == namespace }.map(\.name)
        let hint = Spelling.nearest(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
        return "there is no \(kind) \(name) in namespace \(namespace)\(hint)"
    }

    /// Objects of whose making something else takes care: the names under which it says so.
    private static func isMadeLater(
        _ name: String, _ kind: GroupKind, _ namespace: String, _ subject: ValidationSubject
    ) -> Bool {
        // Every namespace gets this one.
        if kind == .configMap, name == "kube-root-ca.crt" { return true }
        let makers: Set<String> = [
            "SealedSecret", "ExternalSecret", "Certificate", "VaultStaticSecret", "BitwardenSecret",
        ]
        guard kind == .secret else { return false }
        return subject.objects.contains { object in
            guard makers.contains(object.kind.kind), object.namespace == namespace else { return false }
            let spec = object.json["spec"]
            let named = spec?["secretName"]?.string ?? spec?[path: ["target", "name"]]?.string
            return (named ?? object.name) == name
        }
    }

    static func configurationKeys(of object: SubjectObject) -> Set<String> {
        Set(
            ["data", "binaryData", "stringData"].flatMap { member in
                (object.written.json[member]?.object ?? JSONObject()).map(\.key)
            })
    }

    private static func autoscalerTarget(_ object: SubjectObject, _ subject: ValidationSubject) -> Hit? {
        guard let target = object.json[path: ["spec", "scaleTargetRef"]], let name = target["name"]?.string,
            let kind = target["kind"]?.string
        else { return nil }
        let type = GroupVersionKind(apiVersion: target["apiVersion"]?.string ?? "", kind: kind).groupKind
        guard subject.object(type, object.namespace, name, near: object) == nil else { return nil }
        return Hit(
            object, "spec.scaleTargetRef.name",
            missing(kind, name, object.namespace, among: subject.objects(of: type)))
    }

    private static let standardRoles: Set<String> = [
        "cluster-admin", "admin", "edit", "view", "extension-apiserver-authentication-reader",
    ]

    /// Roles that every cluster has, or that its parts bring along.
    private static func isStandard(_ role: String) -> Bool {
        role.hasPrefix("system:") || standardRoles.contains(role)
    }

    private static func bindingTargets(_ object: SubjectObject, _ subject: ValidationSubject) -> [Hit] {
        var hits: [Hit] = []
        if let role = object.json["roleRef"], let kind = role["kind"]?.string, let name = role["name"]?.string,
            !isStandard(name)
        {
            let type = GroupKind(group: "rbac.authorization.k8s.io", kind: kind)
            let namespace = kind == "ClusterRole" ? "" : object.namespace
            if subject.object(type, namespace, name, near: object) == nil {
                let place = namespace.isEmpty ? "" : " in namespace \(namespace)"
                hits.append(Hit(object, "roleRef.name", "there is no \(kind) \(name)\(place)"))
            }
        }
        for (position, member) in (object.json["subjects"]?.array ?? []).enumerated() {
            guard member["kind"] == "ServiceAccount", let name = member["name"]?.string, name != "default" else {
                continue
            }
            let namespace = member["namespace"]?.string ?? object.namespace
            if subject.object(.serviceAccount, namespace, name, near: object) == nil {
                hits.append(
                    Hit(
                        object, "subjects[\(position)].name",
                        missing("ServiceAccount", name, namespace, among: subject.objects(of: .serviceAccount))))
            }
        }
        return hits
    }
}
