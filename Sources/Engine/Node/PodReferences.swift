internal import Kinds
internal import Model

/// Which ConfigMaps and Secrets a pod needs: of its volumes and of its containers' variables.
enum PodReferences {
    static func configMaps(of pod: Pod) -> Set<String> {
        var names = PodVolumes.references(of: pod).configMaps
        for container in pod.spec.initContainers + pod.spec.containers {
            for source in container.envFrom { if let name = source.configMapRef?.name { names.insert(name) } }
            for variable in container.env {
                if let name = variable.valueFrom?.configMapKeyRef?.name { names.insert(name) }
            }
        }
        return names
    }

    static func secrets(of pod: Pod) -> Set<String> {
        var names = PodVolumes.references(of: pod).secrets
        for container in pod.spec.initContainers + pod.spec.containers {
            for source in container.envFrom { if let name = source.secretRef?.name { names.insert(name) } }
            for variable in container.env {
                if let name = variable.valueFrom?.secretKeyRef?.name { names.insert(name) }
            }
        }
        return names
    }
}
