import TestServers
import Testing

@testable import GitSource

@Suite("Working copies")
struct WorkingCopyTests {
    @Test("a revision may have any name that git rev-parse understands, and is read where it is")
    func revisions() throws {
        let repository = TestRepository()
        let first = repository.git(["rev-parse", "HEAD"])
        let second = repository.commit(["app/web.yaml": "kind: Pod\n"])
        repository.git(["fetch", "--quiet", "origin"])
        repository.git(["tag", "-a", "v1", "-m", "a tag", first])
        let copy = try #require(try WorkingCopy(containing: "\(repository.work)/app"))
        for (name, sha) in [
            ("HEAD", second), ("main", second), ("origin/main", second), ("HEAD~1", first), ("v1", first),
            (first, first), (String(first.prefix(8)), first), ("refs/heads/main^", first),
        ] {
            #expect(try copy.snapshot(name).commit.sha.description == sha, "\(name)")
        }
        let listing = try copy.snapshot("HEAD~1").files(under: "app", recursive: false)
        #expect(listing.files.map(\.path) == ["app/web.yaml"])
        let error = gitErrorMessage { _ = try copy.snapshot("orign/main") }
        #expect(error?.contains("did you mean \"origin/main\"?") == true, "\(error ?? "")")
    }

    @Test("the place of a folder is told from the root, in linked work trees and bare repositories, too")
    func places() throws {
        let repository = TestRepository()
        let copy = try #require(try WorkingCopy(containing: "\(repository.work)/app/web.yaml"))
        #expect(!copy.isBare)
        #expect(copy.path(of: "\(repository.work)/app") == "app")
        #expect(copy.path(of: repository.work) == "")
        #expect(copy.path(of: "/") == nil)
        repository.git(["worktree", "add", "--quiet", "-b", "side", "\(repository.directory.path)/side"])
        let side = try #require(try WorkingCopy(containing: "\(repository.directory.path)/side/app"))
        #expect(side.path(of: "\(repository.directory.path)/side/app") == "app")
        #expect(try side.snapshot("HEAD").commit.sha == copy.snapshot("HEAD").commit.sha)
        let bare = try #require(try WorkingCopy(containing: repository.bare))
        #expect(bare.isBare)
        #expect(try bare.snapshot("main").commit.sha == copy.snapshot("HEAD").commit.sha)
        #expect(try WorkingCopy(containing: "\(repository.bare)/refs") == nil)
        #expect(try WorkingCopy(containing: "/nosuch") == nil)
    }

    @Test(
        "a URL means the repository of a clone whatever its scheme, user and ending",
        arguments: [
            ("https://git.example.com/team/site.git", true), ("https://me@git.example.com/team/site", true),
            ("git@git.example.com:team/site.git", true), ("ssh://git@git.example.com/team/site.git", true),
            ("https://git.example.com/team/other.git", false), ("https://example.com/team/site.git", false),
            ("ssh://git@git.example.com:2222/team/site.git", false), ("no url", false),
        ])
    func clones(url: String, isClone: Bool) throws {
        let repository = TestRepository()
        repository.git(["remote", "add", "upstream", "https://git.example.com/team/site.git"])
        let copy = try #require(try WorkingCopy(containing: repository.work))
        #expect(copy.isClone(of: url) == isClone)
        #expect(copy.isClone(of: repository.bare))
        #expect(copy.isClone(of: "file://\(repository.work)"))
    }

    private func gitErrorMessage(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
