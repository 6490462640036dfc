/// What an anchor of a document stands for.
struct YAMLAnchor {
    var value: JSON
    var node: Int
    /// The number of values it stands for.
    var weight: Int
    /// Its collection is still being read, so that an alias to it would never end.
    var isOpen: Bool
}
