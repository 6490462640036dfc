import Model

/// Network policies: semantics-api C14, F.
struct NetworkPolicyRules: KindRules {
    var generation: GenerationRule { .spec }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            guard spec.listMember("policyTypes").isEmpty else { return }
            spec["policyTypes"] = spec.listMember("egress").isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        errors.checkSelector(spec["podSelector"].flatMap(LabelSelector.init(json:)), path["podSelector"])
        for (list, peers) in [("ingress", "from"), ("egress", "to")] {
            for (index, rule) in spec.listMember(list).enumerated() {
                let path = path[list][index]
                for (index, port) in rule.listMember("ports").enumerated() {
                    check(port, path["ports"][index], &errors)
                }
                for (index, peer) in rule.listMember(peers).enumerated() {
                    check(peer: peer, path[peers][index], &errors)
                }
            }
        }
        if spec.listMember("policyTypes").count > 2 {
            let detail = "may not specify more than two policyTypes"
            errors.invalid(path["policyTypes"], spec["policyTypes"], detail)
        }
    }

    private func check(_ port: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let end = port["endPort"]?.int
        switch port["port"] {
        case .int(let number):
            errors.checkPortNumber(Int(number), path["port"])
            guard let end else { return }
            if end < number { errors.invalid(path["endPort"], .int(end), "must be greater than or equal to `port`") }
            errors.checkPortNumber(Int(end), path["endPort"])
        case .string(let name):
            if let end {
                errors.invalid(path["endPort"], .int(end), "may not be specified when `port` is non-numeric")
            }
            errors.invalid(path["port"], name, NameSyntax.portName(name))
        default:
            guard let end else { return }
            errors.invalid(path["endPort"], .int(end), "may not be specified when `port` is not specified")
        }
    }

    private func check(peer: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let selectors = ["podSelector", "namespaceSelector"].filter { peer[$0] != nil }
        for name in selectors { errors.checkSelector(peer[name].flatMap(LabelSelector.init(json:)), path[name]) }
        guard let block = peer["ipBlock"] else {
            if selectors.isEmpty { errors.required(path, "must specify a peer") }
            return
        }
        check(block: block, path["ipBlock"], &errors)
        if !selectors.isEmpty { errors.forbidden(path, "may not specify both ipBlock and another peer") }
    }

    private func check(block: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let text = block.textMember("cidr")
        // The schema says that it is missing.
        if text.isEmpty { return }
        guard let all = NetworkBlock(text) else {
            errors.invalid(path["cidr"], .string(text), NetworkBlock.rule)
            return
        }
        for (index, text) in block.textMembers("except").enumerated() {
            let path = path["except"][index]
            guard let part = NetworkBlock(text) else {
                errors.invalid(path, .string(text), NetworkBlock.rule)
                continue
            }
            if !part.isStrictSubset(of: all) {
                errors.invalid(path, .string(text), "must be a strict subset of `cidr`")
            }
        }
    }
}
