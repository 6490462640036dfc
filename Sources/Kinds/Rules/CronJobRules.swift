import Model

/// CronJobs: semantics-api C14, C24, F.
struct CronJobRules: KindRules {
    var generation: GenerationRule { .spec }

    func fillDefaults(_ object: inout JSON) {
        // The template is filled in as a job when one is made of it; but its pods already now.
        object.change("spec") { spec in
            spec.change("jobTemplate") { job in
                job.change("spec") { $0.change("template") { $0.change("spec", PodDefaults.fill) } }
            }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec", "jobTemplate", "spec")
        let job = spec["jobTemplate"]?["spec"] ?? [:]
        errors.checkJob(job, path)
        if let selector = job["selector"] {
            errors.invalid(path["selector"], selector, "`selector` will be auto-generated")
        }
        if job["manualSelector"]?.bool == true {
            errors.notSupported(path["manualSelector"], true, ["nil", "false"])
        }
    }

    /// Names of jobs are their CronJob's with eleven characters more.
    private static let nameLimit = 52

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let name = object["metadata"]?["name"]?.string ?? ""
        if name.utf8.count > Self.nameLimit {
            let rule = "must be no more than \(Self.nameLimit) characters"
            errors.invalid(FieldPath("metadata", "name"), .string(name), rule)
        }
        errors.checkSchedule(object["spec"] ?? [:], mayNameZone: false)
        errors.checkTimeZone(object["spec"]?["timeZone"], FieldPath("spec", "timeZone"))
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let named = old["spec"]?["schedule"]?.string?.contains("TZ") == true
        errors.checkSchedule(object["spec"] ?? [:], mayNameZone: named)
        if object["spec"]?["timeZone"] != old["spec"]?["timeZone"] {
            errors.checkTimeZone(object["spec"]?["timeZone"], FieldPath("spec", "timeZone"))
        }
    }
}

extension FieldErrors {
    /// - Parameter mayNameZone: whether the schedule itself may name a time zone, as one did before there was a field
    ///   for it.
    fileprivate mutating func checkSchedule(_ spec: JSON, mayNameZone: Bool) {
        guard let schedule = spec["schedule"]?.string, !schedule.isEmpty else { return }
        let path = FieldPath("spec", "schedule")
        do throws(CronSchedule.Fault) {
            _ = try CronSchedule(schedule)
        } catch {
            invalid(path, .string(schedule), error.description)
        }
        guard schedule.contains("TZ") else { return }
        if !mayNameZone {
            let rule = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            invalid(path, .string(schedule), rule)
        } else if spec["timeZone"] != nil {
            let rule = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
            invalid(path, .string(schedule), rule)
        }
    }

    fileprivate mutating func checkTimeZone(_ zone: JSON?, _ path: FieldPath) {
        guard let zone, let name = zone.string else { return }
        if name.isEmpty {
            invalid(path, zone, "timeZone must be nil or non-empty string")
        } else if TimeZoneNames.isLocal(name) {
            let rule = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
            invalid(path, zone, rule)
        } else if !TimeZoneNames.all.contains(name) {
            invalid(path, zone, "unknown time zone \(name)")
        }
    }
}
