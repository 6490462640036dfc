"""Every built-in kind through the official Python client: exits with 1 if one of them disappoints it."""

import re
import sys

import yaml
from kubernetes import client, config, watch

MANIFESTS = yaml.safe_load("""
v1/configmaps: {data: {a: b}}
v1/secrets: {stringData: {a: b}}
v1/endpoints: {subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80, name: http}]}]}
v1/events: {involvedObject: {kind: Pod, name: p, namespace: NAMESPACE}, reason: Tested, message: m, type: Normal}
v1/limitranges: {spec: {limits: [{type: Container, max: {cpu: "2"}}]}}
v1/namespaces: {}
v1/nodes: {spec: {unschedulable: true}}
v1/persistentvolumeclaims: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
v1/persistentvolumes:
  spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /data}, storageClassName: none}
v1/pods: {spec: {schedulerName: nobody, containers: &containers [{name: c, image: "example.com/none:1"}]}}
v1/podtemplates: {template: &template {metadata: {labels: {a: b}}, spec: {containers: *containers}}}
v1/replicationcontrollers: {spec: {replicas: 0, selector: {a: b}, template: *template}}
v1/resourcequotas: {spec: {hard: {pods: "10"}}}
v1/serviceaccounts: {}
v1/services: {spec: {selector: {a: b}, ports: [{name: http, port: 80, targetPort: 8080}]}}
apps/v1/controllerrevisions: {revision: 1, data: {a: b}}
apps/v1/daemonsets:
  spec:
    selector: &selector {matchLabels: {a: b}}
    template: {metadata: {labels: {a: b}}, spec: {nodeSelector: {none: such}, containers: *containers}}
apps/v1/deployments: {spec: {replicas: 0, selector: *selector, template: *template}}
apps/v1/replicasets: {spec: {replicas: 0, selector: *selector, template: *template}}
apps/v1/statefulsets: {spec: {replicas: 0, serviceName: s, selector: *selector, template: *template}}
autoscaling/v1/horizontalpodautoscalers:
  spec: {maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: {kind: Deployment, name: x}}
autoscaling/v2/horizontalpodautoscalers: {spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: x}}}
batch/v1/cronjobs:
  spec:
    schedule: "0 0 1 1 *"
    suspend: true
    jobTemplate: {spec: {template: &once {spec: {restartPolicy: Never, containers: *containers}}}}
batch/v1/jobs: {spec: {suspend: true, template: *once}}
admissionregistration.k8s.io/v1/validatingadmissionpolicies:
  spec:
    matchConstraints:
      resourceRules: [&rule {apiGroups: [example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]
    validations: [{expression: "object.a == 1", message: not one}]
admissionregistration.k8s.io/v1/validatingadmissionpolicybindings:
  spec: {policyName: nothing.example.com, validationActions: [Deny], matchResources: {resourceRules: [*rule]}}
admissionregistration.k8s.io/v1/mutatingadmissionpolicies:
  spec:
    matchConstraints: {resourceRules: [*rule]}
    reinvocationPolicy: Never
    mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: "Object{}"}}]
admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings: {spec: {policyName: nothing.example.com}}
admissionregistration.k8s.io/v1/validatingwebhookconfigurations:
  webhooks:
  - &hook
    name: nothing.hooks.example.com
    sideEffects: None
    admissionReviewVersions: [v1]
    clientConfig: {url: "https://hooks.example.com/nothing"}
    rules: [*rule]
admissionregistration.k8s.io/v1/mutatingwebhookconfigurations: {webhooks: [*hook]}
certificates.k8s.io/v1/certificatesigningrequests:
  spec:
    signerName: example.com/signer
    usages: [client auth]
    request: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISE1IQUNBUUF3RGpFTU1Bb0dBMVVFQXd3RFlXUmhNRmt3RXdZ\\
      SEtvWkl6ajBDQVFZSUtvWkl6ajBEQVFjRApRZ0FFVVZQUjh2d1M5ZVJTa2MvQjZnbnVKVGhEa2NkNkJrSXdZUWE3NkVCZDFNMDdX\\
      ZGRoaGRKZVNsMTgvZlVFCjhhdDZtMXFsbEk0NmgvejJaM2hjb3AyUTFxQUFNQW9HQ0NxR1NNNDlCQU1DQTBjQU1FUUNJSDJsdzVP\\
      aGw5RkEKdW5MNXJGZGJqOFc0cVJmMUxPWGJ2K2d6ZzM1eFhDZHRBaUJMbjN0Q2pqS3AwWXhyd2FjaGRVWGtReEcvVWxPaAoxNTky\\
      alEwQk1ZSStnUT09Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="
coordination.k8s.io/v1/leases: {spec: {holderIdentity: me, leaseDurationSeconds: 30}}
discovery.k8s.io/v1/endpointslices:
  addressType: IPv4
  endpoints: [{addresses: [10.0.0.1]}]
  ports: [{name: http, port: 80}]
events.k8s.io/v1/events:
  eventTime: "2026-01-01T00:00:00.000000Z"
  reportingController: example.com/me
  reportingInstance: me-1
  action: Do
  reason: Tested
  type: Normal
  regarding: {kind: Pod, name: p, namespace: NAMESPACE}
flowcontrol.apiserver.k8s.io/v1/flowschemas:
  spec:
    priorityLevelConfiguration: {name: exempt}
    matchingPrecedence: 9000
    rules:
    - subjects: [{kind: User, user: {name: nobody}}]
      nonResourceRules: [{verbs: [get], nonResourceURLs: [/nowhere]}]
flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations:
  spec: {type: Limited, limited: {nominalConcurrencyShares: 1, limitResponse: {type: Reject}}}
networking.k8s.io/v1/ingressclasses: {spec: {controller: example.com/c}}
networking.k8s.io/v1/ingresses: {spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}}
networking.k8s.io/v1/ipaddresses: {spec: {parentRef: {resource: services, namespace: NAMESPACE, name: s}}}
networking.k8s.io/v1/networkpolicies: {spec: {podSelector: {matchLabels: {a: b}}}}
networking.k8s.io/v1/servicecidrs: {spec: {cidrs: [10.99.0.0/24]}}
node.k8s.io/v1/runtimeclasses: {handler: runc}
policy/v1/poddisruptionbudgets: {spec: {minAvailable: 1, selector: *selector}}
rbac.authorization.k8s.io/v1/clusterroles: {rules: &rules [{apiGroups: [""], resources: [pods], verbs: [get]}]}
rbac.authorization.k8s.io/v1/clusterrolebindings:
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}
  subjects: &subjects [{kind: User, name: u, apiGroup: rbac.authorization.k8s.io}]
rbac.authorization.k8s.io/v1/roles: {rules: *rules}
rbac.authorization.k8s.io/v1/rolebindings:
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
  subjects: *subjects
scheduling.k8s.io/v1/priorityclasses: {value: 1000}
storage.k8s.io/v1/csidrivers: {spec: {attachRequired: false}}
storage.k8s.io/v1/csinodes: {spec: {drivers: [{name: d.example.com, nodeID: one}]}}
storage.k8s.io/v1/csistoragecapacities: {storageClassName: sc, capacity: 1Gi}
storage.k8s.io/v1/storageclasses: {provisioner: example.com/p}
storage.k8s.io/v1/volumeattachments: {spec: {attacher: example.com, nodeName: one, source: {persistentVolumeName: pv}}}
storage.k8s.io/v1/volumeattributesclasses: {driverName: example.com, parameters: {a: b}}
apiregistration.k8s.io/v1/apiservices:
  spec: {group: python.example.com, version: v1, groupPriorityMinimum: 1000, versionPriority: 10}
apiextensions.k8s.io/v1/customresourcedefinitions:
  spec:
    group: example.com
    scope: Namespaced
    names: {plural: pythons, singular: python, kind: Python, listKind: PythonList}
    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
""")
NAMES = {
    "ipaddresses": "10.98.0.1",
    "customresourcedefinitions": "pythons.example.com",
    "apiservices": "v1.python.example.com",
}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(status, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except client.ApiException as error:
        check(error.status == status, f"answered {error.status} instead of {status}: {error.body}")
        return
    raise AssertionError(f"was not refused with {status}")


def snake(kind):
    text = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def api(version):
    """The client's class for a group and version; None where it has none."""
    group, _, number = version.rpartition("/")
    words = [word[:1].upper() + word[1:] for word in (group.removesuffix(".k8s.io") or "core").split(".")]
    return getattr(client, "".join(words) + number.capitalize() + "Api", None)


class Kind:
    """The typed methods of the client for one kind."""

    def __init__(self, version, resource, namespace):
        self.api = api(version)()
        self.name = snake(resource.kind)
        self.scope = [namespace] if resource.namespaced else []
        self.part = "namespaced_" if resource.namespaced else ""

    def method(self, verb, suffix=""):
        return getattr(self.api, f"{verb}_{self.part}{self.name}{suffix}")

    def call(self, verb, *arguments, **options):
        # The name comes before the namespace, a body after it.
        named = verb not in ("create", "list", "delete_collection")
        scoped = [arguments[0], *self.scope, *arguments[1:]] if named else [*self.scope, *arguments]
        return self.method(verb)(*scoped, **options)


def life(version, resource, namespace, has_status):
    kind = Kind(version, resource, namespace)
    name = NAMES.get(resource.name, f"python-{resource.name}")
    body = yaml.safe_load(yaml.safe_dump(MANIFESTS[f"{version}/{resource.name}"]).replace("NAMESPACE", namespace))
    body.update(apiVersion=version, kind=resource.kind, metadata={"name": name, "labels": {"life": "python"}})
    selector = {"label_selector": "life=python"}
    start = kind.call("list", **selector).metadata.resource_version
    tried = kind.call("create", body, dry_run="All")
    check(tried.metadata.uid and not tried.metadata.resource_version, "a dry run answers what would be")
    refused(404, kind.call, "read", name)

    made = kind.call("create", body, field_validation="Strict")
    check(made.metadata.uid and made.metadata.managed_fields, "a new object has metadata")
    refused(409, kind.call, "create", body)
    refused(404, kind.call, "read", name + ".absent")
    check(kind.call("read", name).metadata.uid == made.metadata.uid, "read finds what was created")
    check(len(kind.call("list", limit=1, **selector).items) == 1, "list finds it")

    patched = kind.call("patch", name, {"metadata": {"annotations": {"by": "merge"}}})
    check(patched.metadata.annotations["by"] == "merge", "a strategic merge patch changes it")
    operation = {"op": "replace", "path": "/metadata/annotations/by", "value": "json"}
    check(kind.call("patch", name, [operation]).metadata.annotations["by"] == "json", "so does a JSON patch")
    applied = kind.call(
        "patch", name, body, field_manager="python", force=True, _content_type="application/apply-patch+yaml")
    check(any(entry.operation == "Apply" for entry in applied.metadata.managed_fields), "apply is recorded")
    for attempt in range(5):
        current = kind.call("read", name)
        current.metadata.annotations = {"by": "replace"}
        try:
            check(kind.call("replace", name, current).metadata.annotations["by"] == "replace", "replace changes it")
            break
        except client.ApiException as error:
            check(error.status == 409 and attempt < 4, error)
    if has_status:
        check(kind.method("read", "_status")(name, *kind.scope).metadata.name == name, "the status can be read")

    if "deletecollection" in resource.verbs:
        kind.call("delete_collection", **selector)
    else:
        kind.call("delete", name)
    events = []
    for event in watch.Watch().stream(
            kind.method("list"), *kind.scope, resource_version=start, timeout_seconds=20, **selector):
        check(event["object"].metadata.name == name, "a watch tells of what was asked for")
        events.append(event["type"])
        if event["type"] == "DELETED":
            break
    check(events[0] == "ADDED" and "MODIFIED" in events and events[-1] == "DELETED", f"a watch tells it all: {events}")
    refused(404, kind.call, "delete", name)


def main():
    config.load_kube_config()
    core = client.CoreV1Api()
    namespace = core.create_namespace({"metadata": {"generateName": "python-"}}).metadata.name
    versions = ["v1"] + [
        version.group_version for group in client.ApisApi().get_api_versions().groups for version in group.versions]
    missing = set(MANIFESTS)
    failures = 0
    for version in versions:
        if api(version) is None:
            continue
        resources = api(version)().get_api_resources().resources
        names = {resource.name for resource in resources}
        for resource in resources:
            if "/" in resource.name or not {"create", "list"} <= set(resource.verbs):
                continue
            missing.discard(f"{version}/{resource.name}")
            try:
                life(version, resource, namespace, f"{resource.name}/status" in names)
                print(f"{version} {resource.kind}: ok")
            except Exception as error:
                failures += 1
                print(f"{version} {resource.kind}: {type(error).__name__}: {error}")
    core.delete_namespace(namespace)
    for name in sorted(missing):
        print(f"{name}: not served")
    sys.exit(1 if failures else 0)


main()
