import Model
import Testing

@Suite("Ownership through updates")
struct ApplyUpdateTests {
    @Test("H7: an update owns what it adds and changes, and takes it silently from the others")
    func takes() throws {
        let live = try Fixture.apply(Fixture.object(["replicas": 3, "paused": true]), onto: nil)
        var new = live
        new[path: ["spec", "replicas"]] = 4
        let result = Fixture.update(live, to: new, by: "bob", at: 5)
        #expect(Fixture.owned(result, by: "bob") == [".spec.replicas"])
        #expect(Fixture.owned(result, by: "alice") == [".spec.paused"])
        #expect(Fixture.entry(result, "alice")?["time"] == "1970-01-12T13:46:40Z")
    }

    @Test("H7: what an update removes nobody owns; a manager left with nothing is forgotten")
    func removes() throws {
        let live = try Fixture.apply(Fixture.object(["replicas": 3]), onto: nil)
        var new = live
        new["spec"] = [:]
        let result = Fixture.update(live, to: new)
        #expect(result[path: ["metadata", "managedFields"]] == nil)
    }

    @Test("H7: an update that changes nothing keeps every entry and its time")
    func noOp() {
        let live = Fixture.update(nil, to: Fixture.object(["replicas": 3]), at: 1)
        #expect(Fixture.update(live, to: live, by: "bob", at: 9) == live)
        #expect(Fixture.update(live, to: live, by: "carol", at: 9) == live)
    }

    @Test("H7: the eleventh updater makes the oldest two one entry named ancient-changes")
    func ancientChanges() throws {
        var live = Fixture.update(nil, to: Fixture.object(["replicas": 1]), by: "m0", at: 0)
        for number in 1...11 {
            var new = live
            new[path: ["metadata", "labels", "l\(number)"]] = "x"
            live = Fixture.update(live, to: new, by: "m\(number)", at: Int64(number))
        }
        let managers = (live[path: ["metadata", "managedFields"]]?.array ?? []).compactMap { $0["manager"]?.string }
        #expect(managers == ["ancient-changes"] + (3...11).map { "m\($0)" })
        #expect(
            Fixture.owned(live, by: "ancient-changes") == [
                ".spec", ".metadata.labels", ".metadata.labels.l1", ".metadata.labels.l2", ".spec.replicas",
            ])
        #expect(Fixture.entry(live, "ancient-changes")?["time"] == "1970-01-12T13:46:42Z")
    }

    @Test("H2: updates of one manager through different subresources are entries of their own")
    func subresources() {
        var live = Fixture.update(nil, to: Fixture.object(["replicas": 1]), by: "controller")
        var new = live
        new["status"] = ["replicas": 1]
        live = Fixture.update(live, to: new, by: "controller", subresource: "status")
        let entries = live[path: ["metadata", "managedFields"]]?.array ?? []
        #expect(entries.map { $0["subresource"] } == [nil, "status"])
        #expect(entries.last?["fieldsV1"] == ["f:status": [".": [:], "f:replicas": [:]]])
    }

    @Test("H8: tracking starts with the creation, and an update does not start it later")
    func startsAtCreation() {
        let created = Fixture.update(nil, to: Fixture.object(["replicas": 1]))
        #expect(Fixture.owned(created, by: "bob") == [".spec", ".spec.replicas"])
        let untracked = Fixture.object(["replicas": 1], metadata: ["uid": "1"])
        let changed = Fixture.object(["replicas": 2], metadata: ["uid": "1"])
        #expect(Fixture.update(untracked, to: changed) == changed)
    }

    @Test("H8: an empty list or one empty entry clears, omission keeps", arguments: [[], [[:]]] as [JSON])
    func clearing(list: JSON) {
        let live = Fixture.update(nil, to: Fixture.object(["replicas": 1]))
        var new = live
        new[path: ["metadata", "managedFields"]] = list
        #expect(Fixture.update(live, to: new)[path: ["metadata", "managedFields"]] == nil)
        new[path: ["metadata", "managedFields"]] = nil
        #expect(Fixture.update(live, to: new) == live)
        new[path: ["metadata", "managedFields"]] = list
        #expect(Fixture.update(live, to: new, subresource: "status") == live)
    }

    @Test("H8: entries that an update names replace the stored ones")
    func replacing() throws {
        let live = try Fixture.apply(Fixture.object(["replicas": 1]), onto: nil, by: "alice")
        var new = live
        let renamed = (live[path: ["metadata", "managedFields"]]?.array ?? []).map { entry in
            var entry = entry
            entry["manager"] = "renamed"
            return entry
        }
        new[path: ["metadata", "managedFields"]] = .array(renamed)
        let result = Fixture.update(live, to: new)
        #expect(Fixture.owned(result, by: "renamed") == [".spec.replicas"])
        #expect(Fixture.owned(result, by: "alice").isEmpty)
    }

    @Test("H10: an update of the object owns nothing of status, one of status nothing of spec")
    func resetFields() {
        let live = Fixture.update(nil, to: Fixture.object(["replicas": 1]))
        var new = live
        new["spec"] = ["replicas": 2]
        new["status"] = ["replicas": 2]
        #expect(Fixture.owned(Fixture.update(live, to: new, by: "c"), by: "c") == [".spec.replicas"])
        let status = Fixture.update(live, to: new, by: "c", subresource: "status")
        #expect(Fixture.owned(status, by: "c") == [".status", ".status.replicas"])
    }

    @Test("H10: whoever creates an object owns nothing of what creating resets, within a container or a list either")
    func resetFieldsOfCreate() {
        let containers: JSON = [["name": "a", "image": "i"], ["name": "b", "image": "j"]]
        var new = Fixture.object(["replicas": 1, "containers": containers])
        new["status"] = ["replicas": 2]
        var reset = FieldSet(fields: ["status"], ["spec", "replicas"])
        reset.insert([.field("spec"), .field("containers"), .item(["name": "a"]), .field("image")])
        let result = ServerSideApply.recordUpdate(
            from: nil, to: new, schema: Fixture.schema, manager: "c", subresource: nil, now: Timestamp(seconds: 1),
            resetFields: reset)
        #expect(
            Fixture.owned(result, by: "c") == [
                ".spec", ".spec.containers", #".spec.containers[name="a"]"#, #".spec.containers[name="b"]"#,
                #".spec.containers[name="a"].name"#, #".spec.containers[name="b"].image"#,
                #".spec.containers[name="b"].name"#,
            ])
    }
}

@Suite("Field sets")
struct ApplyFieldSetTests {
    static let text = """
        {"f:metadata":{"f:finalizers":{".":{},"v:\\"a\\"":{}}},"f:spec":{".":{},"f:containers":\
        {"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:name":{}},"i:3":{}}}}
        """

    @Test("H3: FieldsV1 is read and written back as it was")
    func codec() throws {
        let set = try #require(FieldSet(fieldsV1: try JSON(decoding: Array(Self.text.utf8))))
        #expect(set.fieldsV1.text() == Self.text)
        #expect(
            set.paths.map(\.description) == [
                ".spec", ".metadata.finalizers", ".metadata.finalizers[=\"a\"]",
                ".spec.containers[containerPort=80,protocol=\"TCP\"]", ".spec.containers[3]",
                ".spec.containers[containerPort=80,protocol=\"TCP\"].name",
            ])
    }

    @Test("H3: what is no FieldsV1 is not read", arguments: ["{\"x:a\":{}}", "{\"f:a\":1}", "{\"k:[\":{}}", "[]"])
    func malformed(text: String) throws {
        #expect(FieldSet(fieldsV1: try JSON(decoding: Array(text.utf8))) == nil)
    }

    @Test("a container and its content are told apart by difference and exclusion")
    func algebra() {
        let content = FieldSet(fields: ["a", "b"], ["a", "c"], ["d"])
        let container = FieldSet(fields: ["a"])
        #expect(content.subtracting(container) == content)
        #expect(content.excluding(container) == FieldSet(fields: ["d"]))
        #expect(content.union(container).subtracting(content) == container)
        #expect(content.intersection(container).isEmpty)
        #expect(content.union(container).contains([.field("a")]))
    }
}
