import Model
import Store
import Synchronization

/// What admission asks of the store besides the object (J10).
final class AdmissionPolicies: Sendable {
    let priorityClasses: Followed<PriorityClasses>
    let limitRanges: Followed<LimitRanges>
    let storageClasses: Followed<DefaultStorageClass>
    let ingressClasses: Followed<DefaultIngressClass>
    let runtimeClasses: Followed<RuntimeClasses>
    let validating: Followed<ValidatingPolicies>
    let validatingBindings: Followed<ValidatingBindings>
    let mutating: Followed<MutatingPolicies>
    let mutatingBindings: Followed<MutatingBindings>
    /// Whether somebody issues tokens of ServiceAccounts.
    private let tokenGiving = Mutex(false)
    let store: Store

    var givesTokens: Bool { tokenGiving.withLock { $0 } }

    func giveTokens() { tokenGiving.withLock { $0 = true } }

    init(of store: Store) {
        self.store = store
        priorityClasses = Followed(in: store)
        limitRanges = Followed(in: store)
        storageClasses = Followed(in: store)
        ingressClasses = Followed(in: store)
        runtimeClasses = Followed(in: store)
        validating = Followed(in: store)
        validatingBindings = Followed(in: store)
        mutating = Followed(in: store)
        mutatingBindings = Followed(in: store)
    }
}

/// What follows from all objects of one kind.
protocol StoredPolicy: Sendable {
    static var kind: GroupKind { get }
    /// - Parameter objects: all there are, by namespace and name.
    init(_ objects: [JSON])
}

/// A policy that is made anew when an object of its kind has changed.
final class Followed<Policy: StoredPolicy>: Sendable {
    private let store: Store
    private let kind = Registry.storeKind(Policy.kind)
    private let known = Mutex<(change: Revision, policy: Policy)?>(nil)

    init(in store: Store) { self.store = store }

    /// As the store is now.
    ///
    /// - Complexity: O(1) while no object of the kind has changed, otherwise linear in their number.
    var current: Policy {
        // Asked for before the objects are: one that changes meanwhile is seen the next time at the latest.
        let change = store.lastChange(ofKind: kind)
        if let known = known.withLock({ $0 }), known.change == change { return known.policy }
        let policy = Policy(store.snapshot.list(kind: kind).map(\.json))
        known.withLock { $0 = (change, policy) }
        return policy
    }
}
