import Kinds
import Model

@testable import Reconciler

/// Live objects for tests, as a dictionary.
struct FixedState: LiveState {
    var byKey: [ObjectKey: Object] = [:]

    init(_ objects: [Object] = []) {
        for object in objects { byKey[object.key] = object }
    }

    func object(_ key: ObjectKey) -> Object? { byKey[key] }
    func objects(of kind: GroupKind) -> [Object] {
        byKey.filter { $0.key.kind == kind }.sorted { $0.key < $1.key }.map(\.value)
    }
}

enum Fixture {
    static func configMap(_ name: String, _ value: String = "one") -> Object {
        var map = ConfigMap(named: name, in: "default")
        map.data = ["value": value]
        return Object(viewing: map.json)
    }

    static func namespace(_ name: String) -> Object { Object(viewing: Namespace(named: name).json) }

    static func desired(_ object: Object, in application: String = "app") -> DesiredObject {
        DesiredObject(
            object: Tracking.mark(object, for: application), origin: "\(object.metadata.name).yaml:1",
            fingerprint: object.json.text())
    }

    static func state(_ objects: [Object]) -> DesiredState {
        DesiredState(revision: "abc", objects: objects.map { desired($0) })
    }

    /// A pod of `web` with one container in the given state.
    static func pod(_ edit: (inout ContainerStatus) -> Void) -> Pod {
        var pod = Pod(named: "web-1", in: "default")
        var container = Container()
        container.name = "web"
        pod.spec.containers = [container]
        pod.status.phase = "Running"
        pod.status.startTime = Timestamp(seconds: 1_000_000)
        var status = ContainerStatus()
        status.name = "web"
        edit(&status)
        pod.status.containerStatuses = [status]
        return pod
    }
}
