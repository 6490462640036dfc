import Model
import Testing

@testable import Kinds

@Suite("CronJobs and their schedules")
struct CronTests {
    @Test(
        "a schedule names minutes, hours, days and months",
        arguments: [
            ("0 4 * * *", [0], [4], 31, 12, 7, true),
            ("*/15 0-6/2 1,15 jan-mar mon", [0, 15, 30, 45], [0, 2, 4, 6], 2, 3, 1, false),
            ("5/20 ? * * ?", [5, 25, 45], Set(0...23), 31, 12, 7, true), ("@hourly", [0], Set(0...23), 31, 12, 7, true),
            ("@weekly", [0], [0], 31, 12, 1, true), ("@annually", [0], [0], 1, 1, 7, true),
            ("TZ=Europe/Berlin 0 4 * * *", [0], [4], 31, 12, 7, true),
        ] as [(String, Set<Int>, Set<Int>, Int, Int, Int, Bool)])
    func times(
        text: String, minutes: Set<Int>, hours: Set<Int>, days: Int, months: Int, weekdays: Int, needsBoth: Bool
    ) throws {
        guard case .times(let times) = try CronSchedule(text).rule else {
            Issue.record("no times")
            return
        }
        #expect(times.minutes == minutes)
        #expect(times.hours == hours)
        #expect(times.daysOfMonth.count == days)
        #expect(times.months.count == months)
        #expect(times.daysOfWeek.count == weekdays)
        #expect(times.needsBothDays == needsBoth)
    }

    @Test("a schedule that names days of both kinds is due on either")
    func days() throws {
        guard case .times(let either) = try CronSchedule("0 0 13 * fri").rule,
            case .times(let both) = try CronSchedule("0 0 13 * *").rule
        else {
            Issue.record("no times")
            return
        }
        #expect(either.matches(minute: 0, hour: 0, day: 13, month: 1, weekday: 2))
        #expect(either.matches(minute: 0, hour: 0, day: 2, month: 1, weekday: 5))
        #expect(!either.matches(minute: 0, hour: 0, day: 2, month: 1, weekday: 2))
        #expect(!either.matches(minute: 1, hour: 0, day: 13, month: 1, weekday: 5))
        #expect(!both.matches(minute: 0, hour: 0, day: 2, month: 1, weekday: 5))
    }

    @Test(
        "a schedule may be a span of time, in Go's form, of a second at least",
        arguments: [
            ("@every 1h30m", .seconds(5400)), ("@every 1.5s", .seconds(1)), ("@every 5ms", .seconds(1)),
            ("@every 90s", .seconds(90)), ("@every .5m", .seconds(30)),
        ] as [(String, Duration)])
    func every(text: String, expected: Duration) throws {
        #expect(try CronSchedule(text).rule == .every(expected))
    }

    static let faults: [(String, String)] = [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("0 0 * * * *", "expected exactly 5 fields, found 6: [0 0 * * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"), ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", #"failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax"#),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("-1 * * * *", #"failed to parse int from : strconv.Atoi: parsing "": invalid syntax"#),
        ("@often", "unrecognized descriptor: @often"),
        ("@every 5", #"failed to parse duration @every 5: time: missing unit in duration "5""#),
        ("@every 5d", #"failed to parse duration @every 5d: time: unknown unit "d" in duration "5d""#),
        ("@every h", #"failed to parse duration @every h: time: invalid duration "h""#),
        ("TZ=Mars/Base 0 4 * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"),
        ("", "empty spec string"),
    ]

    @Test("what is no schedule is refused in robfig/cron's words", arguments: faults)
    func fault(text: String, message: String) {
        #expect(throws: CronSchedule.Fault(description: message)) { try CronSchedule(text) }
    }

    static let changes: [Change] = [
        Change("C24", ".spec.schedule", nil, "spec.schedule: Required value"),
        Change(
            "C24", ".spec.schedule", #""0 25 * * *""#,
            #"spec.schedule: Invalid value: "0 25 * * *": end of range (25) above maximum (23): 25"#),
        Change(
            "C24", ".spec.schedule", #""TZ=UTC 0 4 * * *""#,
            #"spec.schedule: Invalid value: "TZ=UTC 0 4 * * *": "#
                + "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
        Change("C24", ".spec.timeZone", #""Europe/Berlin""#),
        Change("C24", ".spec.timeZone", #""Etc/UTC""#),
        Change(
            "C24", ".spec.timeZone", #""Mars/Base""#,
            #"spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base"#),
        Change(
            "C24", ".spec.timeZone", #""""#,
            #"spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string"#),
        Change(
            "C24", ".spec.timeZone", #""Local""#,
            #"spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in "#
                + "https://www.iana.org/time-zones"),
        Change(
            "C24", ".spec.concurrencyPolicy", #""Queue""#,
            #"spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace""#),
        Change(
            "C24", ".spec.startingDeadlineSeconds", "-1",
            "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"),
        Change(
            "C26", ".spec.jobTemplate.spec.selector", #"{"matchLabels": {"a": "b"}}"#,
            #"spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: "#
                + "`selector` will be auto-generated"),
        Change(
            "C26", ".spec.jobTemplate.spec.manualSelector", "true",
            #"spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false""#),
        Change(
            "C26", ".spec.jobTemplate.spec.template.spec.restartPolicy", nil,
            "spec.jobTemplate.spec.template.spec.restartPolicy: Required value: "
                + #"valid values: "OnFailure", "Never""#),
    ]

    @Test("CronJobs are refused with Kubernetes' messages", arguments: changes)
    func create(change: Change) throws {
        #expect(try Manifests.cronJob.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test("C24: a new CronJob's name leaves room for its jobs'")
    func name() throws {
        let long = String(repeating: "a", count: 53)
        let named = { (name: String) in Manifests.cronJob.setting(".metadata.name", .string(name)) }
        #expect(
            try named(long).createErrors
                == [#"metadata.name: Invalid value: "\#(long)": must be no more than 52 characters"#])
        #expect(try named(String(long.dropLast())).createErrors == [])
        #expect(try named(long).updateErrors(to: named(long).setting(".spec.suspend", true)) == [])
    }

    @Test("an old CronJob may keep the zone in its schedule, but not name another beside it")
    func zone() throws {
        let old = Manifests.cronJob.setting(".spec.schedule", "TZ=UTC 0 4 * * *")
        #expect(try old.updateErrors(to: old.setting(".spec.suspend", true)) == [])
        #expect(
            try old.updateErrors(to: old.setting(".spec.timeZone", "Etc/UTC")) == [
                #"spec.schedule: Invalid value: "TZ=UTC 0 4 * * *": "#
                    + "cannot use both timeZone field and TZ or CRON_TZ in schedule"
            ])
    }
}
