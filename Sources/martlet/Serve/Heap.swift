import CMalloc

/// How the service keeps its memory.
enum Heap {
    /// What is larger than this is given back to the system as soon as it is free.
    private static let largeBlock: Int32 = 256 << 10

    /// By how much a thread's heap grows at once. By itself it grows page by page, a system call for each: one for
    /// every request that creates an object.
    private static let growth: Int32 = 256 << 10

    /// Keeps large blocks apart from small ones.
    ///
    /// By itself glibc learns from the first large block that it frees to keep such blocks in its heap, where the small
    /// ones that come to lie between them hold them fast: after a few lists of 10,000 objects the service had 118 MB
    /// instead of 95.
    static func configure() {
        // Without effect where it is refused, which harms nobody.
        _ = mallopt(M_MMAP_THRESHOLD, largeBlock)
        _ = mallopt(M_TOP_PAD, growth)
    }
}
