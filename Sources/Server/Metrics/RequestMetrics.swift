import Model
import Synchronization

/// How many requests there were, of which kind, with which answer, and how long they took.
///
/// Counting takes no lock: a series is found in a list that only grows, and its numbers are atomic. Each is right, but
/// a reader may see one request in the count and not yet among the durations.
final class RequestMetrics: Sendable {
    /// The upper bounds of the classes of durations, in seconds: those of `kube-apiserver`.
    static let bounds: [Double] = [
        0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
    ]
    /// More series than clients could want; what is more is counted together.
    static let seriesLimit = 4096

    /// The numbers of requests with the same labels.
    final class Series: Sendable {
        let labels: RequestLabels
        /// One class for each bound, and one for what took longer.
        fileprivate let classes = InlineArray<24, Atomic<Int>> { _ in Atomic(0) }
        fileprivate let nanoseconds = Atomic<Int>(0)
        /// Of those that last long, how many are under way.
        fileprivate let lasting = Atomic<Int>(0)
        fileprivate let codes = AtomicLazyReference<CodeCount>()
        fileprivate let next = AtomicLazyReference<Series>()

        fileprivate init(_ labels: RequestLabels) {
            self.labels = labels
        }
    }

    fileprivate final class CodeCount: Sendable {
        let code: Int
        let count = Atomic<Int>(0)
        let next = AtomicLazyReference<CodeCount>()

        init(_ code: Int) {
            self.code = code
        }
    }

    /// Lists of series, by the hash of their labels.
    private let lists = InlineArray<64, AtomicLazyReference<Series>> { _ in AtomicLazyReference() }
    private let seriesCount = Atomic<Int>(0)
    private let readOnly = Atomic<Int>(0)
    private let mutating = Atomic<Int>(0)

    // MARK: Counting

    /// Takes a request for one that is under way, until it `ended`.
    func began(isMutating: Bool) {
        if isMutating { mutating.add(1, ordering: .relaxed) } else { readOnly.add(1, ordering: .relaxed) }
    }

    func ended(isMutating: Bool) {
        if isMutating { mutating.subtract(1, ordering: .relaxed) } else { readOnly.subtract(1, ordering: .relaxed) }
    }

    /// Counts a request that was answered.
    func count(_ labels: RequestLabels, code: Int, took duration: Duration) {
        let series = series(of: labels)
        let (seconds, attoseconds) = duration.components
        // The machine's clock may be set while a request lasts: a year is more than any takes.
        let nanoseconds = max(
            0, Int(min(max(seconds, 0), 31_536_000)) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
        let place = Self.bounds.firstIndex { Double(nanoseconds) <= $0 * 1e9 } ?? Self.bounds.count
        series.classes[place].add(1, ordering: .relaxed)
        series.nanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed)
        var count = series.codes.load() ?? series.codes.storeIfNil(CodeCount(code))
        // Answers have few codes.
        while count.code != code { count = count.next.load() ?? count.next.storeIfNil(CodeCount(code)) }
        count.count.add(1, ordering: .relaxed)
    }

    /// Takes a request that lasts for one more, or one less, that is under way.
    func lasting(_ labels: RequestLabels, by change: Int) {
        series(of: labels).lasting.add(change, ordering: .relaxed)
    }

    private func series(of labels: RequestLabels) -> Series {
        let list = Int(UInt(bitPattern: labels.hashValue) % 64)
        var next = lists[list].load()
        var last: Series?
        while let series = next {
            if series.labels == labels { return series }
            last = series
            next = series.next.load()
        }
        guard labels == .others || seriesCount.load(ordering: .relaxed) < Self.seriesLimit else {
            return series(of: .others)
        }
        let new = Series(labels)
        var stored = last.map { $0.next.storeIfNil(new) } ?? lists[list].storeIfNil(new)
        // Others may have been quicker, with these labels or with different ones.
        while stored.labels != labels { stored = stored.next.load() ?? stored.next.storeIfNil(new) }
        if stored === new { seriesCount.add(1, ordering: .relaxed) }
        return stored
    }

    // MARK: Reading

    struct Snapshot {
        var labels: RequestLabels
        /// By code, ascending.
        var codes: [(code: Int, count: Int)]
        /// Of durations up to each bound, and of all.
        var cumulated: [Int]
        var seconds: Double
        var lasting: Int
    }

    var inFlight: (mutating: Int, readOnly: Int) {
        (mutating.load(ordering: .relaxed), readOnly.load(ordering: .relaxed))
    }

    /// In the order of their labels.
    var snapshots: [Snapshot] {
        var found: [Snapshot] = []
        for list in 0..<64 {
            var next = lists[list].load()
            while let series = next {
                found.append(Self.snapshot(series))
                next = series.next.load()
            }
        }
        return found.sorted { $0.labels.all.map(\.value).lexicographicallyPrecedes($1.labels.all.map(\.value)) }
    }

    private static func snapshot(_ series: Series) -> Snapshot {
        var codes: [(code: Int, count: Int)] = []
        var next = series.codes.load()
        while let code = next {
            codes.append((code.code, code.count.load(ordering: .relaxed)))
            next = code.next.load()
        }
        var total = 0
        let cumulated = (0...bounds.count).map { place in
            total += series.classes[place].load(ordering: .relaxed)
            return total
        }
        return Snapshot(
            labels: series.labels, codes: codes.sorted { $0.code < $1.code }, cumulated: cumulated,
            seconds: Double(series.nanoseconds.load(ordering: .relaxed)) / 1e9,
            lasting: series.lasting.load(ordering: .relaxed))
    }
}
