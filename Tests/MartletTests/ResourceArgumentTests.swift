import ArgumentParser
import Cluster
import Kinds
import Model
import Testing

@testable import martlet

@Suite("What a person types to name a kind or an object")
struct ResourceArgumentTests {
    static let types = Catalog.builtIn.types

    @Test(
        "plural, singular, short name, kind and group mean the type, in any case",
        arguments: [
            ("pods", "Pod"), ("pod", "Pod"), ("po", "Pod"), ("Pod", "Pod"), ("DEPLOY", "Deployment"),
            ("deployments.apps", "Deployment"), ("rs", "ReplicaSet"), ("ns", "Namespace"), ("cm", "ConfigMap"),
            ("svc", "Service"), ("ep", "Endpoints"), ("no", "Node"), ("app", "Application"),
        ])
    func types(name: String, kind: String) throws {
        #expect(try ResourceArgument.type(name, among: Self.types).kind.kind == kind)
    }

    @Test("Kubernetes' own kind comes before another of its name; of two others the group must be named")
    func ambiguousNames() throws {
        func custom(_ kind: String, _ plural: String, _ group: String) -> ResourceType {
            ResourceType(
                kind: GroupVersionKind(group: group, version: "v1", kind: kind), plural: plural,
                singular: kind.lowercased(), shortNames: [], categories: [], isNamespaced: true, verbs: ["get"],
                subresources: [])
        }
        let types =
            [custom("Pod", "pods", "a.example.com"), custom("Widget", "widgets", "a.example.com")] + Self.types
            + [custom("Widget", "widgets", "b.example.com")]
        #expect(try ResourceArgument.type("pods", among: types).kind.group == "")
        #expect(try ResourceArgument.type("widgets.b.example.com", among: types).kind.group == "b.example.com")
        let error = #expect(throws: CommandError.self) { try ResourceArgument.type("widget", among: types) }
        #expect(
            error?.description
                == "\"widget\" may be several types; name the group too: widgets.a.example.com or widgets.b.example.com"
        )
    }

    private func selected(_ arguments: [String]) throws -> [String] {
        try ResourceArgument.selections(arguments, among: Self.types).map {
            ([$0.type.plural] + $0.names).joined(separator: " ")
        }
    }

    @Test("types, names after a type, and TYPE/NAME, gathered by type in the order of their coming")
    func selections() throws {
        #expect(try selected(["pods"]) == ["pods"])
        #expect(try selected(["po,svc"]) == ["pods", "services"])
        #expect(try selected(["pod", "a", "b"]) == ["pods a b"])
        #expect(try selected(["pod/a", "svc/x", "pods/b"]) == ["pods a b", "services x"])
        let all = try selected(["all"])
        #expect(all.contains("pods") && all.contains("deployments") && !all.contains("secrets"))
    }

    @Test(
        "what is no name is refused with what would be right",
        arguments: [
            ([], "name a resource type, for example pods"),
            (["deploymnt"], "there is no resource type \"deploymnt\"; did you mean \"deployment\"?"),
            (["pods.apps"], "there is no resource type \"pods.apps\""),
            (["pod", "a/b"], "\"a/b\": after a type come plain names; or write every one as TYPE/NAME"),
            (["po,svc", "a"], "names go with a single type"),
            (["pod/a", "b"], "\"b\": write every name as TYPE/NAME, for example pod/a"),
            (["pod/"], "\"pod/\": write every name as TYPE/NAME, for example pod/"),
            (["/a"], "\"/a\": write every name as TYPE/NAME, for example /a"),
        ] as [([String], String)])
    func refusals(arguments: [String], message: String) {
        let error = #expect(throws: CommandError.self) { try selected(arguments) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }
}

@Suite("Verbs and failures")
struct FailureTests {
    @Test(
        "a word that is no verb is told with the one that was probably meant",
        arguments: [
            (["sevre"], "martlet has no verb \"sevre\"; did you mean \"serve\"?"),
            (["app", "refesh"], "martlet app has no verb \"refesh\"; did you mean \"refresh\"?"),
            (["rollout", "frobnicate"], "martlet rollout has no verb \"frobnicate\"; there are: "),
        ])
    func unknown(words: [String], message: String) {
        let error = #expect(throws: CommandError.self) { try Verbs.check(words) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test(
        "verbs, options and arguments pass",
        arguments: [[], ["get", "anything"], ["app", "list"], ["--help"], ["help", "x"]])
    func known(words: [String]) throws {
        try Verbs.check(words)
    }

    @Test(
        "arguments parsed from their verb on mean what they mean to the whole tree",
        arguments: [
            ["render", "overlays/a", "-n", "web", "-o", "json"], ["diff", "main..feature"], ["version"],
            ["app", "list", "-o", "yaml"], ["rollout", "status", "web"], ["validate"],
            ["rehearse", "--seeds", "3", "."],
        ])
    func parsed(words: [String]) throws {
        let (own, whole) = (try Verbs.parse(words), try Martlet.parseAsRoot(words))
        #expect(type(of: own) == type(of: whole))
        #expect("\(own)" == "\(whole)")
    }

    @Test(
        "help, the version and wrong options are answered by the whole tree",
        arguments: [
            ["render", "--help"], ["app"], ["app", "--help"], ["app", "list", "-h"], ["render", "--version"],
            ["render", "--nosuch"], ["rollout"], ["rehearse", "--seeds", "x"], ["render", "a", "b", "c"],
        ])
    func answered(words: [String]) {
        #expect(said { try Verbs.parse(words) } == said { try Martlet.parseAsRoot(words) })
    }

    private func said(_ parse: () throws -> any ParsableCommand) -> String {
        do {
            var command = try parse()
            try command.run()
            return "\(type(of: command))"
        } catch {
            return Martlet.fullMessage(for: error)
        }
    }

    @Test("verbs that are not shown are not told either")
    func hidden() {
        let error = #expect(throws: CommandError.self) { try Verbs.check(["qqqqqqqqqq"]) }
        #expect(error?.description.contains("serve") == true)
        #expect(error?.description.contains("supervise") == false)
    }

    @Test("an error is its message; a refused token says where the right one is")
    func messages() {
        #expect(Failure.message(CommandError("no")) == "no")
        #expect(Failure.message(APIError(.conflict, "changed meanwhile")) == "changed meanwhile")
        let refused = Failure.message(APIError(.unauthorized, "Unauthorized"))
        #expect(refused.hasPrefix("the service does not accept the token of this kubeconfig"))
    }
}
