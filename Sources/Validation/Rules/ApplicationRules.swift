import GitSource
import Kinds
import Model

extension Rule {
    /// What Martlet, and Argo CD, are told to follow.
    static let applications = [
        Rule(
            "application-path", .error, "An Application follows a path of this repository that does not exist.",
            "It has nothing to sync, and with pruning it would remove all that it deployed before."
        ) { subject in
            subject.objects(of: .application).compactMap { application -> Hit? in
                guard let source = application.json[path: ["spec", "source"]],
                    let url = source["repoURL"]?.string, subject.isThisRepository(url),
                    let path = source["path"]?.string, !path.isEmpty, source["chart"] == nil
                else { return nil }
                do throws(GitError) {
                    _ = try subject.tree.files(under: path, recursive: false)
                    return nil
                } catch {
                    return Hit(application, "spec.source.path", error.message)
                }
            }
        }
    ]
}
