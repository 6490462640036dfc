import Model
import Testing

/// Properties over random configurations; a failure names its seed.
@Suite("Server-side apply, by properties")
struct ApplyPropertyTests {
    static let seeds = Array(UInt64(1)...60)

    @Test("H5: applying twice changes nothing", arguments: seeds)
    func idempotence(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        let live = try Fixture.apply(random.config(), onto: random.update(nil), by: "carol", force: true)
        let config = random.config()
        let once = try Fixture.apply(config, onto: live, force: true, at: 1)
        #expect(try Fixture.apply(config, onto: once, at: 2) == once)
    }

    @Test("H5: everything a forced apply states is there afterwards", arguments: seeds)
    func statedFieldsAreThere(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        let config = random.config()
        let result = try Fixture.apply(config, onto: random.update(nil), force: true)
        #expect(Configurations.states(result, config), "\(config.text()) is not in \(result.text())")
        let owned = Set(Fixture.owned(result, by: "alice"))
        let stated = FieldSet(of: config, schema: Fixture.schema).paths.map(\.description)
        #expect(Set(stated).subtracting(owned).allSatisfy(Configurations.isIdentity))
    }

    @Test("H5: managers of disjoint fields never conflict", arguments: seeds)
    func disjointManagers(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        var live: JSON?
        for round in 0..<6 {
            let part = round % 2
            live = try Fixture.apply(random.config(part: part), onto: live, by: "manager-\(part)", at: Int64(round))
        }
    }

    @Test("H5: a manager alone gets just its last configuration, whatever it applied before", arguments: seeds)
    func removalOnOmission(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        var live: JSON?
        for _ in 0..<4 { live = try Fixture.apply(random.config(), onto: live) }
        let last = random.config()
        let result = try Fixture.apply(last, onto: live)
        #expect(Fixture.withoutManagedFields(result) == last)
    }

    @Test("H5: what one manager leaves out stays while another owns it", arguments: seeds)
    func othersKeepTheirs(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        let shared = random.config()
        var live = try Fixture.apply(shared, onto: nil, by: "alice")
        live = try Fixture.apply(shared, onto: live, by: "carol")
        live = try Fixture.apply(Fixture.object(nil), onto: live, by: "alice")
        #expect(Fixture.withoutManagedFields(live) == shared)
        #expect(Fixture.owned(live, by: "alice").isEmpty)
    }

    @Test("H7: after any updates, every field is owned by exactly one updater", arguments: seeds)
    func updatesPartitionFields(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        var live = random.update(nil)
        for _ in 0..<8 { live = random.update(live) }
        let entries = live[path: ["metadata", "managedFields"]]?.array ?? []
        let owned = entries.flatMap { FieldSet(fieldsV1: $0["fieldsV1"] ?? [:])?.paths.map(\.description) ?? [] }
        #expect(Set(owned).count == owned.count)
        let stated = FieldSet(of: Fixture.withoutManagedFields(live), schema: Fixture.schema)
            .paths.map(\.description).filter { !Configurations.isIdentity($0) }
        #expect(Set(stated).subtracting(owned).isEmpty)
    }

    @Test(
        "H7: who creates an object owns what two own of whom one creates a part and the other adds the rest",
        arguments: seeds)
    func creation(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        var part = Fixture.object(nil)
        part[path: ["metadata", "labels"]] = ["part": "x"]
        var whole = random.config()
        whole[path: ["metadata", "labels", "part"]] = "x"
        let started = Fixture.update(nil, to: part, by: "carol")
        whole[path: ["metadata", "managedFields"]] = started[path: ["metadata", "managedFields"]]
        let both = Fixture.update(started, to: whole, by: "bob")
        let alone = Fixture.update(nil, to: Fixture.withoutManagedFields(whole), by: "bob")
        let two = Set(Fixture.owned(both, by: "bob") + Fixture.owned(both, by: "carol"))
        #expect(Set(Fixture.owned(alone, by: "bob")) == two)
    }

    @Test("H3: field sets obey the laws of sets and survive FieldsV1", arguments: seeds)
    func setLaws(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        let one = FieldSet(of: random.config(), schema: Fixture.schema)
        let two = FieldSet(of: random.config(), schema: Fixture.schema)
        #expect(one.subtracting(two).union(one.intersection(two)) == one)
        #expect(one.union(two) == two.union(one))
        #expect(one.subtracting(two).intersection(two).isEmpty)
        #expect(one.union(two).subtracting(two) == one.subtracting(two))
        #expect(FieldSet(fieldsV1: one.fieldsV1) == one)
        #expect(FieldSet(one.paths.map(\.elements)) == one)
    }

    @Test("H3: whether a set is part of another is seen in the other's FieldsV1", arguments: seeds)
    func containment(seed: UInt64) throws {
        var random = Configurations(seed: seed)
        let one = FieldSet(of: random.config(), schema: Fixture.schema)
        let two = FieldSet(of: random.config(), schema: Fixture.schema)
        for set in [one, two, one.intersection(two), one.union(two), one.subtracting(two)] {
            for other in [one, two, one.intersection(two), one.union(two)] {
                #expect(set.isContained(inFieldsV1: other.fieldsV1) == set.subtracting(other).isEmpty)
            }
        }
    }
}

/// Random configurations of the fixture's kind.
struct Configurations {
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(state: seed)
    }

    private mutating func chance() -> Bool { Bool.random(using: &random) }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func names(_ names: [String]) -> [String] {
        names.filter { _ in chance() }.shuffled(using: &random)
    }

    private mutating func text() -> JSON { .string(["x", "y", "z"][pick(3)]) }

    /// - Parameter part: 0 or 1, to get configurations without a field in common.
    mutating func config(part: Int? = nil) -> JSON {
        let names = part.map { $0 == 0 ? ["a", "b", "c"] : ["d", "e", "f"] } ?? ["a", "b", "c", "d"]
        var spec: JSON = [:]
        if part != 1, chance() { spec["replicas"] = .int(Int64(pick(3))) }
        if part != 1, chance() { spec["selector"] = ["matchLabels": ["app": text()]] }
        if part != 0, chance() { spec["paused"] = .bool(chance()) }
        if part != 0, chance() { spec["strategy"] = ["type": text(), "rollingUpdate": ["maxSurge": text()]] }
        let containers = self.names(names).map { container($0) }
        if !containers.isEmpty { spec["containers"] = .array(containers) }
        var metadata: JSON = [:]
        let labels = self.names(names)
        for label in labels { metadata[path: ["labels", label]] = text() }
        let finalizers = self.names(names)
        if !finalizers.isEmpty { metadata["finalizers"] = .array(finalizers.map { .string($0) }) }
        return Fixture.object(spec.object?.isEmpty == true ? .none : spec, metadata: metadata)
    }

    private mutating func container(_ name: String) -> JSON {
        var container: JSON = ["name": .string(name), "image": text()]
        if chance() { container["args"] = [text(), text()] }
        let env = names(["A", "B", "C"]).map { name -> JSON in ["name": .string(name), "value": text()] }
        if !env.isEmpty { container["env"] = .array(env) }
        if chance() { container["ports"] = [["containerPort": .int(Int64(80 + pick(2)))]] }
        return container
    }

    /// An update of the whole object by one of a few managers.
    mutating func update(_ live: JSON?) -> JSON {
        var new = config()
        new[path: ["metadata", "managedFields"]] = live?[path: ["metadata", "managedFields"]]
        return Fixture.update(live, to: new, by: "updater-\(pick(4))", at: Int64(pick(50)))
    }

    static func isIdentity(_ path: String) -> Bool {
        [".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"].contains(path)
    }

    /// Whether an object has all that a configuration states; items are matched by name, or port, or value.
    static func states(_ object: JSON, _ config: JSON) -> Bool {
        switch (object, config) {
        case (.object(let object), .object(let config)):
            return config.allSatisfy { member in object[member.key].map { states($0, member.value) } ?? false }
        case (.array(let items), .array(let stated)):
            return stated.allSatisfy { item in
                items.contains { candidate in
                    let key = item["name"] == nil ? "containerPort" : "name"
                    return candidate[key] == item[key] && states(candidate, item)
                }
            }
        default: return object == config
        }
    }
}
