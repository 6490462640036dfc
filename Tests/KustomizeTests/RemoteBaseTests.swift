import GitSource
import Model
import Testing

@testable import Kustomize

@Suite("A remote base")
struct RemoteBaseTests {
    @Test(
        "is told from a path, and taken apart into repository, directory and revision",
        arguments: [
            ("https://github.com/org/repo//path/to?ref=v1", "https://github.com/org/repo", "path/to", "v1"),
            ("https://github.com/org/repo/path/to?ref=v1", "https://github.com/org/repo", "path/to", "v1"),
            ("github.com/org/repo", "https://github.com/org/repo", "", ""),
            ("git@github.com:org/repo.git//x?version=2", "git@github.com:org/repo.git", "x", "2"),
            (
                "ssh://git@example.com/team/repo.git/deep?timeout=10&ref=main", "ssh://git@example.com/team/repo.git",
                "deep", "main"
            ),
            (
                "https://dev.azure.com/org/project/_git/repo/sub", "https://dev.azure.com/org/project/_git/repo", "sub",
                ""
            ),
            ("file:///srv/repo.git//base", "file:///srv/repo.git", "base", ""),
        ])
    func parsed(_ text: String, _ repository: String, _ path: String, _ reference: String) throws {
        let base = try #require(RemoteBase(text))
        #expect(base.repository == repository)
        #expect(base.path == path)
        #expect(base.reference == reference)
    }

    @Test(
        "is shown without what its address says in confidence",
        arguments: [
            ("https://bot:secret@example.com/org/repo//x?ref=v1", "https://example.com/org/repo//x?ref=v1"),
            ("https://secret@example.com/org/repo", "https://example.com/org/repo"),
            ("ssh://git@example.com/a/b.git?sshkey=secret&ref=main", "ssh://example.com/a/b.git?ref=main"),
            ("git@github.com:org/repo.git//x", "git@github.com:org/repo.git//x"),
        ])
    func shown(_ text: String, _ shown: String) throws {
        #expect(try #require(RemoteBase(text)).description == shown)
    }

    @Test(
        "is not what is a path",
        arguments: ["base", "../base", "a/b/c.yaml", "/abs", "https://host", "ftp://a/b/c", "https://host/a/b//../c"])
    func paths(_ text: String) {
        #expect(RemoteBase(text) == nil)
    }

    @Test("is asked for, and built from the tree that is brought")
    func built() throws {
        let remote = CaseDirectory(
            KustomizeCase(
                name: "remote",
                text: "== sub/kustomization.yaml\nresources: [a.yaml]\n== sub/a.yaml\nkind: X\nmetadata: {name: a}\n"
            ).files)
        let own = CaseDirectory(
            KustomizeCase(
                name: "own",
                text:
                    "== kustomization.yaml\nnamePrefix: p-\nresources: [\"https://example.com/org/repo//sub?ref=v1\"]\n"
            ).files)
        let tree = try WorkingTree(own.path)
        guard case .needs(let base) = try Kustomizer().build(tree, "") else {
            Issue.record("the base is not asked for")
            return
        }
        #expect(base.repository == "https://example.com/org/repo")
        let outcome = try Kustomizer().build(tree, "", remotes: [base: try WorkingTree(remote.path)])
        guard case .built(let build) = outcome else {
            Issue.record("the base is asked for again")
            return
        }
        #expect(build.objects.map(\.object) == [["kind": "X", "metadata": ["name": "p-a"]]])
        #expect(build.remotes == [base])
        #expect(build.inputs.keys.allSatisfy { !$0.hasPrefix("sub") })
    }
}

@Suite("A time")
struct GoTimeTests {
    @Test(
        "is written as Go writes it",
        arguments: [
            ("2020-01-02", "2020-01-02T00:00:00Z"), ("2020-1-2", "2020-01-02T00:00:00Z"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"),
            ("2001-12-14 21:59:43", "2001-12-14T21:59:43Z"), ("2001-12-14T1:2:3+00:00", "2001-12-14T01:02:03Z"),
            ("2020-02-30", nil), ("2020-13-01", nil), ("2020-01-01x", nil), ("2020-01-01T25:00:00Z", nil),
        ] as [(String, String?)])
    func written(_ text: String, _ time: String?) {
        #expect(GoTime.text(text) == time)
    }
}
