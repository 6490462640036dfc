internal import Cluster
internal import HashTreeCollections
internal import Kinds
internal import Model
internal import Synchronization

/// What a pod's containers are configured by, and the files of its volumes.
extension PodWorker {
    func context(of pod: Pod) -> PodContext {
        let namespace = pod.metadata.namespace
        var context = PodContext(
            podIP: address, hostIP: node.address, nodeName: node.name, allocatable: node.capacity)
        for name in PodReferences.configMaps(of: pod) {
            context.configMaps[name] = sources.configMaps.get(ConfigMap.key(name, in: namespace))
        }
        for name in PodReferences.secrets(of: pod) {
            context.secrets[name] = sources.secrets.get(Secret.key(name, in: namespace))
        }
        for (key, object) in sources.services.snapshot where key.namespace == namespace || key.name == "kubernetes" {
            context.services.append(object.view())
        }
        return context
    }

    /// The same, in which the API's Service has the address of the server itself: it has none of its own.
    func contextWithServer(of pod: Pod) async -> PodContext {
        var context = context(of: pod)
        let key = Service.key("kubernetes", in: "default")
        guard let index = context.services.firstIndex(where: { $0.key == key }) else { return context }
        do throws(APIError) {
            let endpoints: Endpoints = try await cluster.get(Endpoints.key(key.name, in: key.namespace)).view()
            if let address = endpoints.subsets.first?.addresses.first?.ip {
                context.services[index].spec.clusterIP = address
            }
        } catch {
            // Nobody serves the API yet.
        }
        return context
    }

    func prepareVolumes(_ pod: Pod) async -> PodResult {
        var context = context(of: pod)
        if isAwaitingAuthority(context, pod) { return .volumesAwaited }
        context.tokens = await tokens(of: pod)
        do throws(ConfigurationFault) {
            let contents = try PodVolumes.contents(of: pod, context)
            do throws(RuntimeError) {
                try await runtime.provide(contents, to: uid)
                return .volumesReady
            } catch {
                return .volumesFailed(error.message)
            }
        } catch {
            return .volumesFailed(error.message)
        }
    }

    /// A new namespace gets its authority's certificate in a moment, which is no fault to tell of.
    private func isAwaitingAuthority(_ context: PodContext, _ pod: Pod) -> Bool {
        let name = NamespaceDefaultsPlan.authority
        return context.configMaps[name] == nil && clock.now < began + Self.authorityPatience
            && PodVolumes.references(of: pod).configMaps.contains(name)
    }

    private static let authorityPatience = Duration.seconds(10)

    /// The tokens that the pod's volumes show: those it has while they are fresh, others anew.
    private func tokens(of pod: Pod) async -> [ProjectedToken: PodContext.Token] {
        var found: [ProjectedToken: PodContext.Token] = [:]
        for wanted in PodTokens.wanted(by: pod) {
            let now = clock.now
            if let token = tokens.withLock({ $0.fresh(wanted, at: now) }) {
                found[wanted] = .secret(token.secret)
                continue
            }
            guard let source = sources.tokens.source else {
                found[wanted] = .fault("nobody issues tokens of ServiceAccounts here")
                continue
            }
            let account = ServiceAccount.key(pod.spec.serviceAccountName ?? "", in: pod.metadata.namespace)
            do throws(APIError) {
                let token = try await source.issue(wanted.request(for: pod), for: account)
                tokens.withLock { $0.keep(token, for: wanted) }
                found[wanted] = .secret(token.secret)
            } catch {
                let old = tokens.withLock { $0.keepOld(wanted, at: now) }
                found[wanted] = old.map { .secret($0.secret) } ?? .fault("failed to fetch token: \(error.message)")
            }
        }
        return found
    }
}
