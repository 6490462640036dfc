import TestServers
import Testing

@testable import GitSource

@Suite struct SnapshotTests {
    fileprivate func names(_ listing: FileListing) -> [String] { listing.files.map(\.path) }

    @Test("files are listed under a path, flat or recursively, in the order of their bytes")
    func listing() async throws {
        let repository = TestRepository(["app/b.yaml": "b", "app/a.yaml": "a", "app/sub/c.yaml": "c", "z": "z"])
        let snapshot = try await repository.mirror().snapshot(.head)
        #expect(names(try snapshot.files(under: "app", recursive: false)) == ["app/a.yaml", "app/b.yaml"])
        #expect(
            names(try snapshot.files(under: "./app/", recursive: true)) == [
                "app/a.yaml", "app/b.yaml", "app/sub/c.yaml",
            ])
        #expect(names(try snapshot.files(under: ".", recursive: false)) == ["z"])
        #expect(names(try snapshot.files(under: "app/a.yaml", recursive: false)) == ["app/a.yaml"])
        let file = try snapshot.files(under: "z", recursive: false).files[0]
        #expect(try snapshot.content(of: file) == Array("z".utf8))
        #expect(file.blob == WorkingTree.blobID(of: Array("z".utf8)))
        #expect { try snapshot.content(of: file, limit: 0) } throws: { ($0 as? GitError)?.kind == .tooLarge }
    }

    @Test(
        "a path that does not exist names the nearest that does",
        arguments: [
            ("app/wbe", "did you mean \"app/web\"?"), ("ap", "did you mean \"app\"?"),
            ("app/web/deep/er", "\"app/web\" has a.yaml"), ("../etc", "stay inside it"), ("/app", "relative"),
        ])
    func missingPath(path: String, words: String) async throws {
        let repository = TestRepository(["app/web/a.yaml": "a"])
        let snapshot = try await repository.mirror().snapshot(.head)
        let tree = try WorkingTree(repository.work)
        for tree in [snapshot, tree] as [any FileTree] {
            #expect {
                try tree.files(under: path, recursive: true)
            } throws: { error in
                (error as? GitError)?.kind == .pathNotFound && "\(error)".contains(words)
            }
        }
    }

    @Test("what is only tried and not there is no error, in a commit as in a folder")
    func tried() async throws {
        let repository = TestRepository(["app/web/a.yaml": "a"])
        let snapshot = try await repository.mirror().snapshot(.head)
        for tree in [snapshot, try WorkingTree(repository.work)] as [any FileTree] {
            #expect(try tree.locationIfPresent(of: "app/wbe") == nil)
            #expect(try tree.locationIfPresent(of: "app/web") == .directory("app/web"))
            let file = FileEntry(path: "app/web/a.yaml", blob: WorkingTree.blobID(of: Array("a".utf8)))
            #expect(try tree.locationIfPresent(of: "app/web/a.yaml") == .file(file))
            #expect(throws: GitError.self) { try tree.locationIfPresent(of: "../etc") }
        }
    }

    @Test("a file in a folder is read as it was named, though it is written meanwhile")
    func readAsNamed() throws {
        let repository = TestRepository(["a.yaml": "one"])
        let tree = try WorkingTree(repository.work)
        let named = try file("a.yaml", of: tree)
        repository.commit(["a.yaml": "two"])
        #expect(try tree.content(of: named) == Array("one".utf8))
        let later = try file("a.yaml", of: tree)
        #expect(later.blob != named.blob)
        #expect(try tree.content(of: later) == Array("two".utf8))
        #expect(throws: GitError.self) { try tree.content(of: file("a.yaml", of: tree), limit: 2) }
    }

    @Test("a file in a folder is read whole, however its size fits the pieces in which it is read")
    func sizes() throws {
        let sizes = [0, 1, (32 << 10) - 1, 32 << 10, (32 << 10) + 1, (64 << 10) - 1, 64 << 10, 100_000]
        let texts = sizes.map { String(repeating: "x", count: $0) }
        let names = sizes.map { "\($0).yaml" }
        let repository = TestRepository(Dictionary(uniqueKeysWithValues: zip(names, texts)))
        let tree = try WorkingTree(repository.work)
        for (name, text) in zip(names, texts) {
            // Once as it was named, and once read anew.
            let named = try file(name, of: tree)
            #expect(try tree.content(of: named) == Array(text.utf8), "\(name)")
            #expect(try tree.content(of: named) == Array(text.utf8), "\(name)")
            #expect(named.blob == WorkingTree.blobID(of: Array(text.utf8)), "\(name)")
        }
    }

    @Test("a link whose name looks like a known folder's leads out of the tree no more than others")
    func alikeNames() throws {
        let repository = TestRepository(["e\u{301}/a.yaml": "a", "b/c.yaml": "c"])
        run(["ln", "-s", "/etc", "\(repository.work)/\u{E9}"])
        run(["ln", "-s", "../b", "\(repository.work)/b/self"])
        let tree = try WorkingTree(repository.work)
        _ = try file("e\u{301}/a.yaml", of: tree)
        #expect(try tree.locationIfPresent(of: "\u{E9}/passwd") == nil)
        _ = try file("b/c.yaml", of: tree)
        #expect(try tree.locationIfPresent(of: "b/self") == .directory("b"))
        #expect(try file("b/self/c.yaml", of: tree).path == "b/c.yaml")
    }

    private func file(_ path: String, of tree: any FileTree) throws -> FileEntry {
        let location = try tree.location(of: path)
        guard case .file(let file) = location else { throw GitError(.other, "\(path) is \(location)") }
        return file
    }

    @Test("links inside the tree are followed; those that leave it, dangle or circle are faults beside the other files")
    func links() async throws {
        let repository = TestRepository(["base/a.yaml": "a", "app/own.yaml": "own"])
        for (name, target) in [
            ("app/file.yaml", "../base/a.yaml"), ("app/folder", "../base"), ("app/out.yaml", "../../../etc/passwd"),
            ("app/absolute.yaml", "/etc/passwd"), ("app/gone.yaml", "nothing.yaml"), ("app/self", "../app"),
            ("top", "app"),
        ] { run(["ln", "-s", target, "\(repository.work)/\(name)"]) }
        repository.commit([:])
        let snapshot = try await repository.mirror().snapshot(.head)
        for tree in [snapshot, try WorkingTree(repository.work)] as [any FileTree] {
            let listing = try tree.files(under: "app", recursive: true)
            #expect(names(listing) == ["app/file.yaml", "app/folder/a.yaml", "app/own.yaml"])
            #expect(
                listing.faults.compactMap(\.path).sorted() == [
                    "app/absolute.yaml", "app/gone.yaml", "app/out.yaml", "app/self",
                ])
            #expect(listing.followsLinks && listing.faults.allSatisfy { $0.kind == .symlink })
            #expect(try tree.content(of: listing.files[0]) == Array("a".utf8))
            #expect(names(try tree.files(under: "top", recursive: false)).contains("top/own.yaml"))
        }
        #expect(try !snapshot.files(under: "base", recursive: true).followsLinks)
        #expect(try snapshot.files(under: "app/folder", recursive: true).followsLinks)
    }

    @Test("a submodule within the path is a fault, and the path itself an error")
    func submodule() async throws {
        let library = TestRepository()
        let repository = TestRepository(["app/a.yaml": "a"])
        repository.git(["submodule", "--quiet", "add", library.bare, "app/library"])
        repository.commit([:])
        let snapshot = try await repository.mirror().snapshot(.head)
        let listing = try snapshot.files(under: "app", recursive: true)
        #expect(names(listing) == ["app/a.yaml"])
        #expect(listing.faults.map(\.kind) == [.submodule])
        #expect { try snapshot.files(under: "app/library", recursive: true) } throws: {
            ($0 as? GitError)?.kind == .submodule
        }
    }

    @Test("a Git LFS pointer is refused where its file should be")
    func largeFileStorage() async throws {
        let pointer =
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "0", count: 64))\nsize 12\n"
        let repository = TestRepository(["a.yaml": pointer])
        let snapshot = try await repository.mirror().snapshot(.head)
        for tree in [snapshot, try WorkingTree(repository.work)] as [any FileTree] {
            let file = try tree.files(under: "", recursive: false).files[0]
            #expect { try tree.content(of: file) } throws: { error in
                (error as? GitError)?.kind == .lfsPointer && (error as? GitError)?.path == "a.yaml"
            }
        }
    }

    @Test("changes between two commits name just the files that differ under the path")
    func changes() async throws {
        let repository = TestRepository(["app/a.yaml": "1", "app/b.yaml": "1", "app/x/c.yaml": "1", "other": "1"])
        let mirror = try repository.mirror()
        let before = try await mirror.snapshot(.head)
        repository.git(["rm", "--quiet", "app/b.yaml"])
        repository.git(["rm", "--quiet", "-r", "app/x"])
        repository.commit(["app/a.yaml": "2", "app/d.yaml": "2", "app/x": "now a file", "other": "2"])
        let after = try await mirror.snapshot(.head)
        let changes = try after.changes(since: before, under: "app")
        #expect(
            changes.map { "\($0.kind) \($0.path)" } == [
                "modified app/a.yaml", "removed app/b.yaml", "added app/d.yaml", "added app/x", "removed app/x/c.yaml",
            ])
        #expect(try after.changes(since: after, under: "").isEmpty)
        #expect(try after.changes(since: before, under: "nowhere").isEmpty)
        #expect(try before.treeID(at: "app") != after.treeID(at: "app"))
        #expect(try after.treeID(at: "nowhere") == nil)
    }

    @Test("the history is listed newest first, bounded")
    func history() async throws {
        let repository = TestRepository()
        for number in 1...3 { repository.commit(["a.yaml": "\(number)"], "number \(number)") }
        let snapshot = try await repository.mirror().snapshot(.head)
        #expect(try snapshot.history(limit: 2).map(\.subject) == ["number 3", "number 2"])
        #expect(try snapshot.history(limit: 9).count == 4)
    }

    @Test("a working tree shows uncommitted files with Git's own names for them, and its HEAD")
    func workingTree() async throws {
        let repository = TestRepository(["app/a.yaml": "a"])
        writeFile("\(repository.work)/app/new.yaml", "new")
        let tree = try WorkingTree(repository.work)
        let listing = try tree.files(under: "app", recursive: true)
        #expect(names(listing) == ["app/a.yaml", "app/new.yaml"])
        #expect(listing.files[1].blob.description == repository.git(["hash-object", "app/new.yaml"]))
        #expect(try tree.head()?.subject == "first commit")
        #expect(try names(tree.files(under: "", recursive: true)).allSatisfy { !$0.hasPrefix(".git") })
        #expect(try WorkingTree("/usr").head() == nil)
        #expect(throws: GitError.self) { try WorkingTree("/nonexistent") }
    }
}

@Suite struct LocalRepositoryTests {
    @Test("the fingerprint changes with a push, a deletion and packing, and with nothing else")
    func fingerprint() throws {
        let repository = TestRepository()
        let local = try #require(try LocalRepository(repository.bare))
        var last = local.fingerprint()
        #expect(local.fingerprint() == last)
        repository.git(["config", "x.y", "z"], in: repository.bare)
        #expect(local.fingerprint() == last)
        for change in [["push", "-q", "origin", "main:side"], ["push", "-q", "origin", "--delete", "side"]] {
            repository.git(change)
            #expect(local.fingerprint() != last)
            last = local.fingerprint()
        }
        repository.git(["pack-refs", "--all"], in: repository.bare)
        #expect(local.fingerprint() != last)
        #expect(try LocalRepository("/nonexistent") == nil)
    }

    @Test("a push is told at once, also to a branch in a new folder; cancellation ends the wait")
    func pushes() async throws {
        let repository = TestRepository()
        let watcher = try PushWatcher(try #require(try LocalRepository(repository.bare)))
        for branch in ["main", "feature/deep/x", "feature/deep/y"] {
            repository.commit(["a.yaml": branch], branch: branch)
            try await watcher.change()
        }
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup { group in
                group.addTask { while true { try await watcher.change() } }
                group.cancelAll()
                try await group.next()
            }
        }
    }
}
