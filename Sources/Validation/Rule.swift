package import Model

/// How bad it is, from a remark to what cannot work.
package enum Severity: String, Sendable, Comparable, CaseIterable {
    case note, warning, error

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// Something that is looked for in manifests.
package struct Rule: Sendable {
    /// By which it is switched off: `dangling-secret`.
    package let name: String
    /// Unless the configuration says otherwise.
    package let severity: Severity
    /// What it finds, in one line.
    package let summary: String
    /// Why that matters and what to do.
    package let explanation: String
    let check: @Sendable (ValidationSubject) -> [Hit]

    init(
        _ name: String, _ severity: Severity, _ summary: String, _ explanation: String,
        check: @escaping @Sendable (ValidationSubject) -> [Hit]
    ) {
        self.name = name
        self.severity = severity
        self.summary = summary
        self.explanation = explanation
        self.check = check
    }

    /// All of them, sorted by name.
    package static let all: [Rule] = (schema + versions + references + priorities + services + rollouts + applications)
        .sorted { $0.name < $1.name }
}

/// What a rule found, before its place in the file is looked up.
struct Hit {
    var place: Place
    var message: String
    var fix: Fix?

    enum Place {
        /// A field of an object, as Kubernetes writes it.
        case field(String, of: SubjectObject)
        /// A file, where there is no object.
        case file(String, Mark?)
    }

    init(_ object: SubjectObject, _ field: String, _ message: String, fix: Fix? = nil) {
        place = .field(field, of: object)
        self.message = message
        self.fix = fix
    }

    init(file: String, _ mark: Mark?, _ message: String) {
        place = .file(file, mark)
        self.message = message
    }
}

/// A change that mends what a rule found without anybody having to think.
package enum Fix: Hashable, Sendable {
    /// The scalar that stands at the field.
    case replaceValue(field: String, with: String)
    /// The name of the member.
    case renameKey(field: String, to: String)
}

/// What is wrong, and where.
package struct Finding: Hashable, Sendable {
    package var rule: String
    package var severity: Severity
    /// From the root of the repository.
    package var file: String
    package var mark: Mark?
    /// `Deployment.apps default/web`; empty where it is about a file.
    package var object: String
    /// Empty for the object as a whole.
    package var field: String
    package var message: String
    package var fix: LocatedFix?

    /// `file:line:column: message`
    package var place: String { mark.map { "\(file):\($0)" } ?? file }
}

/// A fix together with the document that it is for.
package struct LocatedFix: Hashable, Sendable {
    package var document: Int
    /// The way from the document to the object.
    package var item: [PathStep]
    package var fix: Fix
}
