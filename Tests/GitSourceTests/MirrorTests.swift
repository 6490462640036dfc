import Glibc
import Synchronization
import TestServers
import Testing

@testable import GitSource

@Suite(.blocking) struct MirrorTests {
    @Test("a branch, a tag, an annotated tag, a full and a short SHA and HEAD all lead to their commit")
    func revisions() async throws {
        let repository = TestRepository()
        let first = repository.git(["rev-parse", "HEAD"])
        repository.git(["tag", "light"])
        repository.git(["tag", "--annotate", "heavy", "--message", "a tag"])
        repository.git(["push", "--quiet", "--tags", "origin"])
        let second = repository.commit(["app/web.yaml": "kind: Pod\n"], "second commit\n\nwith a body")
        let mirror = try repository.mirror()
        let cases = [
            ("HEAD", second), ("main", second), ("light", first), ("heavy", first), ("refs/tags/heavy", first),
            (first, first), (String(first.prefix(8)), first), ("refs/heads/main", second),
        ]
        for (text, sha) in cases {
            let commit = try await mirror.resolve(try RevisionRequest(text))
            #expect(commit.sha.description == sha, "\(text)")
        }
        let head = try await mirror.resolve(.head)
        #expect(head.subject == "second commit")
        #expect(head.author.name == "Test" && head.author.email == "test@example.com")
        #expect(head.committer.seconds > 1_700_000_000)
        #expect(head.parents == [ObjectID(first)])
    }

    @Test("a branch is preferred to a tag of the same name")
    func branchBeforeTag() async throws {
        let repository = TestRepository()
        repository.git(["tag", "main"])
        repository.git(["push", "--quiet", "origin", "refs/tags/main"])
        let second = repository.commit(["a.yaml": "a"])
        let commit = try await repository.mirror().resolve(.name("main"))
        #expect(commit.sha.description == second)
    }

    @Test("only the branch that was asked for is fetched, and only what is new of it")
    func fetchesLittle() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        let bytes = Mutex<[Int]>([])
        let note: @Sendable (TransferProgress) -> Void = { progress in
            bytes.withLock { $0.append(progress.totalObjects) }
        }
        _ = try await mirror.resolve(.name("main"), progress: note)
        #expect(bytes.withLock { $0.last } == 5)
        repository.git(["checkout", "--quiet", "-b", "side"])
        let side = repository.commit(["side.yaml": "side"], branch: "side")
        bytes.withLock { $0 = [] }
        _ = try await mirror.resolve(.name("main"), progress: note)
        #expect(bytes.withLock { $0.isEmpty }, "an unchanged branch fetches nothing")
        let absent = try mirror.snapshot(of: ObjectID(side)!)
        #expect(absent == nil)
        _ = try await mirror.resolve(.name("side"), progress: note)
        #expect(bytes.withLock { $0.last } == 3)
    }

    @Test("a force-push moves the branch, and the commit that it dropped stays readable")
    func forcePush() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        let old = try await mirror.snapshot(.name("main"))
        repository.git(["commit", "--quiet", "--amend", "--message", "rewritten"])
        repository.git(["push", "--quiet", "--force", "origin", "main"])
        let new = try await mirror.resolve(.name("main"))
        #expect(new.subject == "rewritten" && new.sha != old.commit.sha)
        let kept = try #require(try mirror.snapshot(of: old.commit.sha))
        #expect(try kept.files(under: "", recursive: true).files.count == 2)
        #expect(try await mirror.resolve(.commit(old.commit.sha)).sha == old.commit.sha)
    }

    @Test("a deleted branch is an error that says when it was last seen")
    func deletedBranch() async throws {
        let repository = TestRepository()
        let sha = repository.commit(["a.yaml": "a"], branch: "side")
        let mirror = try repository.mirror()
        _ = try await mirror.resolve(.name("side"))
        repository.git(["push", "--quiet", "origin", "--delete", "side"])
        let error = await gitError { _ = try await mirror.resolve(.name("side")) }
        #expect(error?.kind == .revisionNotFound)
        #expect(error?.message.contains("any more") == true && error?.message.contains(sha.prefix(7)) == true)
    }

    @Test(
        "a missing branch is an error that suggests the nearest one, or lists what there is",
        arguments: [
            ("mian", "did you mean \"main\"?"), ("refs/heads/nope", "its branches are: main"),
            ("abcdef0123", "its branches are: main"),
        ])
    func missingBranch(name: String, words: String) async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        let error = await gitError { _ = try await mirror.resolve(try RevisionRequest(name)) }
        #expect(error?.kind == .revisionNotFound && error?.message.contains(words) == true)
    }

    @Test("a commit that no branch has is an error that says so")
    func missingCommit() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        let id = try #require(ObjectID(String(repeating: "a", count: 40)))
        let error = await gitError { _ = try await mirror.resolve(.commit(id)) }
        #expect(error?.kind == .revisionNotFound && error?.message.contains("no commit aaaa") == true)
    }

    @Test("an empty repository, a missing one and a plain folder are told apart")
    func noRepository() async throws {
        let empty = TestRepository([:])
        #expect(await gitError { _ = try await empty.mirror().resolve(.head) }?.kind == .emptyRepository)
        let missing = await gitError { _ = try await empty.mirror("/nonexistent/app.git").resolve(.head) }
        #expect(missing?.kind == .repositoryNotFound && missing?.message.contains("does not exist") == true)
        let folder = await gitError { _ = try await empty.mirror(empty.directory.path).resolve(.head) }
        #expect(folder?.kind == .repositoryNotFound && folder?.message.contains("no Git repository") == true)
    }

    @Test("a working clone serves as a repository, whatever dangling references it has")
    func workingClone() async throws {
        let repository = TestRepository()
        repository.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone"])
        let commit = try await repository.mirror(repository.work).resolve(.name("main"))
        #expect(commit.subject == "first commit")
    }

    @Test("a damaged mirror is set aside and cloned anew")
    func damagedMirror() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        _ = try await mirror.resolve(.head)
        writeFile("\(mirror.directory)/HEAD", "garbage")
        writeFile("\(mirror.directory)/config", "[[[")
        let again = try repository.mirror()
        #expect(try await again.snapshot(.head).files(under: "", recursive: true).files.count == 2)
        #expect(FileSystem.exists("\(mirror.directory).damaged-1"))
    }

    @Test("packs that lost bytes are noticed, and the mirror is cloned anew")
    func damagedPack() async throws {
        let repository = TestRepository()
        let directory = try await Self.resolvedAndReleased(repository)
        let packs = "\(directory)/objects/pack"
        run(["sh", "-c", "for f in \(packs)/*.pack; do chmod u+w $f; head -c 20 $f > $f.x; mv $f.x $f; done"])
        let again = try repository.mirror()
        #expect(try await again.snapshot(.head).files(under: "", recursive: true).files.count == 2)
        #expect(FileSystem.exists("\(directory).damaged-1"))
    }

    /// A mirror's directory, with the mirror gone: libgit2 would go on reading the open files.
    private static func resolvedAndReleased(_ repository: TestRepository) async throws -> String {
        let mirror = try repository.mirror()
        _ = try await mirror.resolve(.head)
        return mirror.directory
    }

    @Test("what a killed fetch left behind does not stop the next one")
    func leftovers() async throws {
        let repository = TestRepository()
        _ = try await repository.mirror().resolve(.head)
        let mirror = try repository.mirror()
        writeFile("\(mirror.directory)/refs/martlet/heads/main.lock", "")
        writeFile("\(mirror.directory)/objects/pack/pack_git2_x", "partial")
        let sha = repository.commit(["b.yaml": "b"])
        #expect(try await mirror.resolve(.name("main")).sha.description == sha)
        #expect(!FileSystem.exists("\(mirror.directory)/objects/pack/pack_git2_x"))
    }

    @Test("many packs become one at the next start, and no commit is lost")
    func consolidation() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        var shas: [ObjectID] = []
        for number in 0...(MirrorFiles.packLimit + 1) {
            let sha = repository.commit(["a.yaml": "number \(number)"], "commit \(number)")
            shas.append(try await mirror.resolve(.name("main")).sha)
            #expect(shas.last?.description == sha)
        }
        let old = try #require(try mirror.snapshot(of: shas[3]))
        let again = try repository.mirror()
        _ = try await again.resolve(.head)
        let packs = try FileSystem.names(in: "\(mirror.directory)/objects/pack").filter { $0.hasSuffix(".pack") }
        #expect(packs.count == 1)
        for sha in shas { #expect(try again.snapshot(of: sha) != nil) }
        #expect(try old.files(under: "", recursive: true).files.count == 3, "an open reader goes on")
    }

    @Test("a data directory that cannot be written is an error that names it")
    func readOnlyDataDirectory() async throws {
        let repository = TestRepository()
        writeFile("\(repository.directory.path)/file", "in the way")
        let mirror = Mirror(of: try RemoteURL(repository.bare), in: "\(repository.directory.path)/file/repositories")
        let error = await gitError { _ = try await mirror.resolve(.head) }
        #expect(error?.message.contains("\(repository.directory.path)/file") == true)
    }

    @Test("a fetch above the bound on bytes is refused, and says so")
    func tooLarge() async throws {
        let repository = TestRepository(["a.txt": String((0..<20_000).map { "\($0 &* 2_654_435_761) " }.joined())])
        let mirror = try repository.mirror { $0.maximumBytes = 1 << 10 }
        let error = await gitError { _ = try await mirror.resolve(.head) }
        #expect(error?.kind == .tooLarge)
    }

    @Test(
        "a full disk is told as such, and the fetch succeeds once there is room",
        .enabled(if: SmallDisk.isPossible, "needs the right to mount a tmpfs"))
    func fullDisk() async throws {
        let noise = (0..<40_000).map { "\($0 &* 2_654_435_761 % 4_294_967_291) " }.joined()
        let repository = TestRepository(["noise.txt": noise])
        let disk = SmallDisk(at: "\(repository.directory.path)/data")
        let mirror = try repository.mirror()
        let error = await gitError { _ = try await mirror.resolve(.head) }
        #expect(error?.kind == .diskFull && error?.isTransient == true, "\(String(describing: error))")
        disk.grow()
        #expect(try await mirror.resolve(.head).subject == "first commit")
    }

    @Test("a cancelled task ends with CancellationError and leaves the mirror usable")
    func cancellation() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror()
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup { group in
                group.addTask { _ = try await mirror.resolve(.head) }
                group.cancelAll()
                try await group.next()
            }
        }
        #expect(try await mirror.resolve(.head).subject == "first commit")
    }

    @Test("a source that lost objects is an error about the source, and the mirror stays")
    func damagedSource() async throws {
        let repository = TestRepository()
        run(["sh", "-c", "rm -rf \(repository.bare)/objects/??"])
        let mirror = try repository.mirror()
        let error = await gitError { _ = try await mirror.resolve(.name("main")) }
        #expect(error?.message.contains("git fsck") == true, "\(String(describing: error))")
        #expect(!FileSystem.exists("\(mirror.directory).damaged-1"))
    }

    @Test("one mirror serves each URL")
    func mirrors() async throws {
        let directory = TemporaryDirectory()
        let mirrors = Mirrors(dataDirectory: directory.path)
        let one = await mirrors.mirror(of: try RemoteURL("https://example.com/a.git"))
        let same = await mirrors.mirror(of: try RemoteURL("https://example.com/a.git"))
        let other = await mirrors.mirror(of: try RemoteURL("https://example.com/b.git"))
        #expect(one === same && one !== other && one.directory != other.directory)
    }
}
