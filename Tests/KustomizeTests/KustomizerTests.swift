import GitSource
import Model
import Testing

@testable import Kustomize

/// Builds a case on disk, as `kubectl kustomize` does.
func build(_ directory: CaseDirectory, _ path: String) throws -> KustomizeBuild {
    switch try Kustomizer().build(try WorkingTree(directory.path), path) {
    case .built(let build): return build
    case .needs(let remote): throw KustomizeError(file: "", message: "needs \(remote)")
    }
}

/// The first difference between two lists of documents, for messages; `nil` when they are the same.
func difference(_ ours: [JSON], _ theirs: [JSON]) -> String? {
    for (position, (one, other)) in zip(ours, theirs).enumerated() where !one.isEquivalent(to: other) {
        return "document \(position):\nours:\n\(YAML.text(one))\nkubectl:\n\(YAML.text(other))"
    }
    return ours.count == theirs.count ? nil : "\(ours.count) documents, not \(theirs.count)"
}

@Suite("A kustomization")
struct KustomizerTests {
    @Test("is built into the objects, in the order, that kubectl printed", arguments: KustomizeCase.all("accepted"))
    func recorded(_ example: KustomizeCase) throws {
        let built = try build(CaseDirectory(example.files), example.directory)
        let found = difference(built.objects.map(\.object), try Oracle.documents(example.expected))
        #expect(found == nil, "\(found ?? "")")
    }

    @Test("that is wrong is refused, with the place and what would be right", arguments: KustomizeCase.all("refused"))
    func refused(_ example: KustomizeCase) throws {
        let directory = CaseDirectory(example.files)
        let error = #expect(throws: KustomizeError.self) { try build(directory, example.directory) }
        let message = error?.description.split(separator: directory.path).joined(separator: "the tree") ?? ""
        #expect(message + "\n" == example.refusal)
    }

    @Test(
        "gives what the kubectl of this machine gives",
        .enabled(if: Oracle.path != nil, "kubectl is not on PATH: nothing to compare with"),
        arguments: KustomizeCase.all("accepted") + KustomizeCase.all("refused"))
    func compared(_ example: KustomizeCase) throws {
        try compare(example)
    }
}

/// Expects the same objects as kubectl builds, or a refusal where it refuses.
func compare(_ example: KustomizeCase) throws {
    let directory = CaseDirectory(example.files)
    let answer = try Oracle.build("\(directory.path)/\(example.directory)")
    let ours = Result { try build(directory, example.directory) }
    switch (answer, ours) {
    case (.built(let documents), .success(let built)):
        let found = difference(built.objects.map(\.object), documents)
        #expect(found == nil, "\(example.name): \(found ?? "")")
    case (.refused, .failure(let error)): #expect(error is KustomizeError)
    case (.refused(let message), .success): Issue.record("\(example.name) is accepted; kubectl says \(message)")
    case (.built, .failure(let error)): Issue.record("\(example.name) is refused, but not by kubectl: \(error)")
    }
}
