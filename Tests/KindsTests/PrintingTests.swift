import Kinds
import Model
import Testing

@Suite("Tables")
struct PrintingTests {
    static let now = Timestamp(seconds: 1_700_000_000)

    static func ago(_ seconds: Int64) -> JSON { .string((now - .seconds(seconds)).description) }

    private static func table(_ kind: GroupKind, _ json: JSON, included: Table.IncludedObject = .metadata) -> Table {
        TablePrinter.table(for: kind, objects: [Object(viewing: json)], now: now, includedObject: included)
    }

    private static func cells(_ kind: GroupKind, _ json: JSON) -> [JSON] { table(kind, json).rows[0].cells }

    @Test(
        "E1: spans of time are written with two units at most",
        arguments: [
            (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"),
            (600, "10m"), (10_799, "179m"), (10_800, "3h"), (11_100, "3h5m"), (28_800, "8h"), (172_799, "47h"),
            (172_800, "2d"), (183_600, "2d3h"), (691_200, "8d"), (63_071_999, "729d"), (63_072_000, "2y"),
            (63_158_400, "2y1d"), (252_288_000, "8y"), (300_000_000, "9y"),
            (63_871_000_000, "292y"),
        ] as [(Int64, String)])
    func humanDuration(seconds: Int64, text: String) {
        #expect(Duration.seconds(seconds).humanReadable == text)
    }

    @Test("E1: an unknown time has an unknown age")
    func unknownAge() {
        #expect(Self.cells(Namespace.kind.groupKind, ["metadata": ["name": "a"]]) == ["a", "", "<unknown>"])
    }

    @Test("E2: every kind's row has a cell for each of its columns, and every table names its object")
    func columnsAndCells() {
        // Of these Kubernetes shows only when they were created.
        let plain = ["ServiceAccount", "Role", "ClusterRole", "LimitRange", "CustomResourceDefinition"]
        // Questions to the API server are in no table.
        for type in Catalog.builtIn.types where type.verbs.contains("list") {
            let kind = type.kind.groupKind
            let table = Self.table(kind, ["metadata": ["name": "it"]])
            #expect(table.rows[0].cells.count == table.columns.count, "\(kind)")
            #expect(table.columns.filter { $0.format == "name" }.count == 1, "\(kind)")
            let isPlain = plain.contains(kind.kind)
            #expect(table.columns.count > 2 || isPlain, "\(kind) has no columns of its own")
        }
    }

    @Test("E2: a kind without columns of its own shows when it was created")
    func fallback() {
        let json: JSON = ["metadata": ["name": "x", "creationTimestamp": Self.ago(60)]]
        let table = Self.table(GroupKind(group: "example.com", kind: "Thing"), json)
        #expect(table.columns.map(\.name) == ["Name", "Created At"])
        #expect(table.rows[0].cells == ["x", Self.ago(60)])
    }

    @Test(
        "E2: a service shows how it is reached",
        arguments: [
            (
                ["type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": [["port": 80, "protocol": "TCP"]]], [:],
                ["ClusterIP", "10.0.0.1", "<none>", "80/TCP"]
            ),
            (
                [
                    "type": "NodePort", "clusterIP": "10.0.0.1", "externalIPs": ["1.2.3.4", "5.6.7.8"],
                    "ports": [["port": 80, "nodePort": 30080, "protocol": "TCP"], ["port": 53, "protocol": "UDP"]],
                ], [:], ["NodePort", "10.0.0.1", "1.2.3.4,5.6.7.8", "80:30080/TCP,53/UDP"]
            ),
            (["type": "LoadBalancer"], [:], ["LoadBalancer", "<none>", "<pending>", "<none>"]),
            (
                ["type": "LoadBalancer", "clusterIPs": ["None"]],
                ["loadBalancer": ["ingress": [["hostname": "lb"], ["ip": "9.9.9.9"]]]],
                ["LoadBalancer", "None", "9.9.9.9,lb", "<none>"]
            ),
            (
                ["type": "ExternalName", "externalName": "a.example"], [:],
                ["ExternalName", "<none>", "a.example", "<none>"]
            ),
        ] as [(JSON, JSON, [JSON])])
    func service(spec: JSON, status: JSON, expected: [JSON]) {
        let json: JSON = ["metadata": ["name": "s"], "spec": spec, "status": status]
        #expect(Array(Self.cells(Service.kind.groupKind, json)[1...4]) == expected)
    }

    @Test("E2: a node shows readiness, cordon, sorted roles and its system")
    func node() {
        var json: JSON = [
            "metadata": [
                "name": "n", "creationTimestamp": Self.ago(7200),
                "labels": ["node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""],
            ],
            "spec": ["unschedulable": true],
            "status": [
                "conditions": [["type": "Ready", "status": "True"]],
                "addresses": [["type": "InternalIP", "address": "10.1.1.1"]],
                "nodeInfo": ["kubeletVersion": "v1", "osImage": "Debian"],
            ],
        ]
        #expect(
            Self.cells(Node.kind.groupKind, json) == [
                "n", "Ready,SchedulingDisabled", "control-plane,worker", "120m", "v1", "10.1.1.1", "<none>", "Debian",
                "<unknown>", "<unknown>",
            ])
        json["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]]
        #expect(Self.cells(Node.kind.groupKind, json)[1] == "NotReady,SchedulingDisabled")
        json["status"]?["conditions"] = []
        #expect(Self.cells(Node.kind.groupKind, json)[1] == "Unknown,SchedulingDisabled")
    }

    @Test("E2: endpoints and slices show three addresses and count the rest")
    func endpoints() {
        let addresses: [JSON] = (1...5).map { ["ip": .string("10.0.0.\($0)")] }
        let endpoints: JSON = [
            "metadata": ["name": "e"], "subsets": [["addresses": .array(addresses), "ports": [["port": 80]]]],
        ]
        #expect(
            Self.cells(Endpoints.kind.groupKind, endpoints)[1]
                == "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...")
        #expect(Self.cells(Endpoints.kind.groupKind, ["metadata": ["name": "e"]])[1] == "<none>")
        let slice: JSON = [
            "metadata": ["name": "e"], "addressType": "IPv4", "ports": [["port": 80], ["name": "x"]],
            "endpoints": [["addresses": ["10.0.0.1"]], ["addresses": ["10.0.0.2"]]],
        ]
        #expect(Self.cells(EndpointSlice.kind.groupKind, slice)[1...3] == ["IPv4", "80,x", "10.0.0.1,10.0.0.2"])
        #expect(Self.cells(EndpointSlice.kind.groupKind, ["metadata": [:]])[2...3] == ["<unset>", "<unset>"])
    }

    @Test("E2: workloads show their counts, containers, images and selector")
    func workloads() {
        let template: JSON = [
            "spec": ["containers": [["name": "a", "image": "a:1"], ["name": "b", "image": "b:2"]]]
        ]
        let selector: JSON = [
            "matchLabels": ["b": "2", "a": "1"],
            "matchExpressions": [
                ["key": "c", "operator": "NotIn", "values": ["y", "x"]], ["key": "d", "operator": "Exists"],
            ],
        ]
        let spec: JSON = ["replicas": 3, "template": template, "selector": selector]
        var json: JSON = [
            "metadata": ["name": "w", "creationTimestamp": Self.ago(60)], "spec": spec,
            "status": ["replicas": 3, "readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2],
        ]
        let wide: [JSON] = ["a,b", "a:1,b:2", "a=1,b=2,c notin (x,y),d"]
        #expect(Self.cells(Deployment.kind.groupKind, json) == ["w", "2/3", 1, 2, "60s"] + wide)
        #expect(Self.cells(ReplicaSet.kind.groupKind, json) == ["w", 3, 3, 2, "60s"] + wide)
        json["spec"]?["selector"] = [:]
        #expect(Self.cells(Deployment.kind.groupKind, json).last == "<none>")
    }

    @Test("E2: configuration shows how many entries it has, never what they are")
    func configuration() {
        let map: JSON = ["metadata": ["name": "c"], "data": ["a": "1"], "binaryData": ["b": "Mg=="]]
        #expect(Self.cells(ConfigMap.kind.groupKind, map)[1] == 2)
        let secret: JSON = ["metadata": ["name": "c"], "type": "Opaque", "data": ["token": "aHVzaA=="]]
        let table = Self.table(Secret.kind.groupKind, secret)
        #expect(table.rows[0].cells[1...2] == ["Opaque", 1])
        #expect(!table.json().text().contains("aHVzaA"))
    }

    @Test("E2: an event shows when it was last seen, of old and new kind")
    func events() {
        let old: JSON = [
            "metadata": ["name": "e"], "type": "Warning", "reason": "BackOff", "message": " back-off\n", "count": 4,
            "involvedObject": ["kind": "Pod", "name": "p", "fieldPath": "spec.containers{web}"],
            "source": ["component": "kubelet", "host": "node"], "firstTimestamp": Self.ago(300),
            "lastTimestamp": Self.ago(10),
        ]
        #expect(
            Self.cells(Event.kind.groupKind, old) == [
                "10s", "Warning", "BackOff", "pod/p", "spec.containers{web}", "kubelet, node", "back-off", "5m", 4,
                "e",
            ])
        let new: JSON = [
            "metadata": ["name": "e"], "eventTime": Self.ago(60), "reportingComponent": "c",
            "involvedObject": ["kind": "Pod"],
        ]
        #expect(
            Self.cells(Event.kind.groupKind, new) == ["60s", "", "", "pod", "", "c", "", "60s", 1, "e"])
    }

    @Test("an application shows sync, health and rollout, and its revision in wide output")
    func application() {
        let json: JSON = [
            "metadata": ["name": "web"],
            "status": [
                "sync": ["status": "Synced", "revision": "abc"], "health": ["status": "Healthy"],
                "rollout": ["phase": "Healthy"],
            ],
        ]
        #expect(Self.cells(Application.kind.groupKind, json) == ["web", "Synced", "Healthy", "Healthy", "abc"])
        let new = Self.table(Application.kind.groupKind, ["metadata": ["name": "new"]])
        #expect(new.rows[0].cells == ["new", .null, .null, .null, .null])
        #expect(new.text(noHeaders: true) == "new" + String(repeating: " ", count: 15) + "\n")
        #expect(new.text(wide: true).hasPrefix("NAME   SYNC STATUS   HEALTH STATUS   ROLLOUT   REVISION\n"))
    }

    @Test("D11: the wire form has all columns, and with each row as much of the object as was asked for")
    func wire() {
        let json: JSON = ["kind": "Namespace", "metadata": ["name": "a", "uid": "1"], "status": ["phase": "Active"]]
        let table = Self.table(Namespace.kind.groupKind, json)
        let wire = table.json(resourceVersion: "7", continueToken: "c", remainingItemCount: 2)
        #expect(wire["metadata"] == ["resourceVersion": "7", "continue": "c", "remainingItemCount": 2])
        #expect(wire["columnDefinitions"]?[0]?["format"] == "name")
        #expect(wire["columnDefinitions"]?.array?.count == 3)
        #expect(
            wire["rows"] == [
                [
                    "cells": ["a", "Active", "<unknown>"],
                    "object": [
                        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                        "metadata": ["name": "a", "uid": "1"],
                    ],
                ]
            ])
        #expect(table.json(includingColumns: false)["columnDefinitions"] == [])
        let none = Self.table(Namespace.kind.groupKind, json, included: .none).rows[0]
        #expect(none.object == nil && none.json["object"] == nil)
        #expect(Self.table(Namespace.kind.groupKind, json, included: .object).rows[0].object == json)
    }

    @Test("D11: text has aligned columns, cells end at a line break, escapes are shown")
    func text() {
        let objects = [("short", "Active"), ("much-longer", "Ter\u{1b}[31mminating\nmore")].map { name, phase in
            Object(viewing: [
                "metadata": ["name": .string(name), "namespace": "ns", "creationTimestamp": Self.ago(5)],
                "status": ["phase": .string(phase)],
            ])
        }
        let table = TablePrinter.table(for: Namespace.kind.groupKind, objects: objects, now: Self.now)
        #expect(
            table.text() == """
                NAME          STATUS                 AGE
                short         Active                 5s
                much-longer   Ter^[[31mminating...   5s

                """)
        #expect(table.text(noHeaders: true, withNamespace: true).hasPrefix("ns    short         Active "))
        let empty = TablePrinter.table(for: Pod.kind.groupKind, objects: [], now: Self.now)
        #expect(empty.text() == "NAME   READY   STATUS   RESTARTS   AGE\n")
        #expect(empty.text(noHeaders: true).isEmpty)
    }
}
