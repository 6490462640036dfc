package import GitSource

extension Kustomizer {
    /// Where the files begin that a directory outside of any repository builds on: the nearest folder, from `start` up,
    /// that holds them all. The build that shows it is not done twice.
    ///
    /// - Parameters:
    ///   - directory: its real path.
    ///   - start: the real path of the directory, or of a folder above it.
    ///   - tree: the files of a folder.
    /// - Returns: `start` where no folder above helps, so that the build says what is wrong; and a kustomizer for the
    ///   folder's files alone, as they are now.
    package func top(
        of directory: String, from start: String, tree: (_ folder: String) throws(GitError) -> any FileTree
    ) -> (folder: String, kustomizer: Kustomizer) {
        var top = start
        while top != "/" {
            do {
                let path = directory == top ? "" : String(directory.dropFirst(top.count + 1))
                let outcome = try build(try tree(top), path)
                return (top, Kustomizer(cache: cache, known: [path: outcome]))
            } catch let error as KustomizeError where error.message.hasSuffix(Loader.leavesTree) {
                let slash = top.lastIndex(of: "/") ?? top.startIndex
                top = slash == top.startIndex ? "/" : String(top[..<slash])
            } catch {
                return (top, self)
            }
        }
        return (start, self)
    }
}
