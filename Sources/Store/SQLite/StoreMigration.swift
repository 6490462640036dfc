import Glibc

/// Brings a database that an earlier version wrote to the present format, and keeps a copy of what it was.
package struct StoreMigration: Sendable {
    /// What leads to each format after the first, in SQL, from the one before.
    package var steps: [String]

    package init(steps: [String]) {
        self.steps = steps
    }

    /// That of this version. A change of the tables adds a step, and never changes one that was released.
    package static let present = StoreMigration(steps: [])

    /// The format that the steps end at.
    package var format: Int { 1 + steps.count }

    /// Takes the missing steps, all or none.
    ///
    /// - Parameter found: the database's format.
    /// - Throws: what SQLite says; the database is as it was then, and so is its copy.
    func run(_ connection: SQLiteConnection, from found: Int, path: String) throws(StoreError) {
        guard found < format else { return }
        try StoreBackup.keep(connection, of: found, at: path)
        let missing = steps[(found - 1)...].joined(separator: "\n")
        do throws(StoreError) {
            try connection.execute("BEGIN IMMEDIATE;\n\(missing)\nPRAGMA user_version = \(format);\nCOMMIT;")
        } catch {
            // What ROLLBACK itself meets adds nothing to the error that is thrown, hence `try?`.
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }
}
