package import GitSource

extension Kustomizer {
    /// Where the files begin that a directory outside of any repository builds on: the nearest folder, from `start` up,
    /// that holds them all. What is read stays in the cache, for the build that follows.
    ///
    /// - Parameters:
    ///   - directory: its real path.
    ///   - start: the real path of the directory, or of a folder above it.
    ///   - tree: the files of a folder.
    /// - Returns: `start` where no folder above helps, so that the build says what is wrong.
    package func top(
        of directory: String, from start: String, tree: (_ folder: String) throws(GitError) -> any FileTree
    ) -> String {
        var top = start
        while top != "/" {
            do {
                let path = directory == top ? "" : String(directory.dropFirst(top.count + 1))
                _ = try build(try tree(top), path)
                return top
            } catch let error as KustomizeError where error.message.hasSuffix(Loader.leavesTree) {
                let slash = top.lastIndex(of: "/") ?? top.startIndex
                top = slash == top.startIndex ? "/" : String(top[..<slash])
            } catch {
                return top
            }
        }
        return start
    }
}
