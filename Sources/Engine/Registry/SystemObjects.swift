package import Cluster
import Kinds
import Model

extension Registry {
    /// Makes what every cluster has beside its namespaces, where it is not there yet: the priority classes of the
    /// system, and the levels and schemas of flow control.
    package func ensureSystemObjects() async throws(APIError) {
        for json in PriorityClasses.system + MandatoryFlowControl.objects {
            let object = Object(viewing: json)
            do throws(APIError) {
                _ = try await create(object, options: WriteOptions(fieldManager: "kube-apiserver"))
            } catch  where error.reason == .alreadyExists {
                continue
            }
        }
    }
}
