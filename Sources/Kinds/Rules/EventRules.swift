import Model

/// Events: semantics-api L1, L2, as lenient as core/v1 is.
struct EventRules: KindRules {
    var allowsCreateOnUpdate: Bool { true }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let involved = object["involvedObject"]?.textMember("namespace") ?? ""
        let namespace = object["metadata"]?.textMember("namespace") ?? ""
        let isNew = object["eventTime"] != nil
        // What has no namespace reports to the default one.
        let matches =
            if involved.isEmpty {
                namespace == "default" || (isNew && namespace == "kube-system")
            } else {
                isNew || namespace == involved
            }
        if !matches {
            let path = FieldPath("involvedObject", "namespace")
            errors.invalid(path, .string(involved), "does not match event.namespace")
        }
        if isNew { checkReport(object, &errors) }
    }

    /// What every Event says that was made since `eventTime` is known; under the names that all versions' faults have.
    private func checkReport(_ object: JSON, _ errors: inout FieldErrors) {
        let controller = object.textMember("reportingComponent")
        let path = FieldPath("reportingController")
        if controller.isEmpty { errors.required(path) }
        errors.invalid(path, controller, NameSyntax.qualifiedName(controller))
        for member in ["reportingInstance", "action", "reason"] {
            let text = object.textMember(member)
            if text.isEmpty { errors.required(FieldPath(member)) }
            checkLength(text, FieldPath(member), limit: 128, &errors)
        }
        checkLength(object.textMember("message"), FieldPath("message"), limit: 1024, &errors)
    }

    private func checkLength(_ text: String, _ path: FieldPath, limit: Int, _ errors: inout FieldErrors) {
        if text.utf8.count > limit { errors.invalid(path, "", "can have at most \(limit) characters") }
    }
}

/// Events of `events.k8s.io/v1`: new ones only, of which nothing but their series changes (L2).
struct ReportedEventRules: KindRules {
    private let rules = EventRules()
    private let conversion = EventConversion()
    var allowsCreateOnUpdate: Bool { true }

    func validate(_ object: JSON, _ errors: inout FieldErrors) { rules.validate(conversion.stored(object), &errors) }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let event = conversion.stored(object)
        checkSeries(event, &errors)
        if event["eventTime"] == nil { errors.required(FieldPath("eventTime")) }
        let type = event.textMember("type")
        if type != "Normal", type != "Warning" {
            errors.invalid(FieldPath("type"), "", "has invalid value: \(type)")
        }
        let unset: JSON = ["source": .emptyObject, "count": 0]
        for member in ["firstTimestamp", "lastTimestamp", "count", "source"] {
            if let value = event[member], value != unset[member] {
                errors.invalid(FieldPath(member), "", "needs to be unset")
            }
        }
    }

    private func checkSeries(_ event: JSON, _ errors: inout FieldErrors) {
        guard let series = event["series"] else { return }
        if series["count"]?.int ?? 0 < 2 { errors.invalid(FieldPath("series", "count"), "", "should be at least 2") }
        if series["lastObservedTime"] == nil { errors.required(FieldPath("series", "lastObservedTime")) }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let (event, before) = (conversion.stored(object), conversion.stored(old))
        if event["series"] != before["series"] { checkSeries(event, &errors) }
        for member in [
            "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type",
            "eventTime", "action", "related", "reportingInstance",
        ] {
            errors.immutable(FieldPath(member), event[member], before[member])
        }
        let (controller, earlier) = (event["reportingComponent"], before["reportingComponent"])
        errors.immutable(FieldPath("reportingController"), controller, earlier)
    }
}
