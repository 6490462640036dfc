extension Double {
    /// Go's `%f`, for numbers that can be told with it.
    package var sixDecimals: String {
        guard abs(self) < 9e12 else { return self > 0 ? "+Inf" : self < 0 ? "-Inf" : "NaN" }
        let millionths = Int64((abs(self) * 1_000_000).rounded())
        let fraction = String(millionths % 1_000_000)
        let whole = "\(self < 0 ? "-" : "")\(millionths / 1_000_000)"
        return "\(whole)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
