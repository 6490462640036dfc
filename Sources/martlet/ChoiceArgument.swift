import ArgumentParser

/// One of a few values that are typed as they are named.
///
/// Says by itself what the parser would find out by key paths and reflection, at every start of a verb that has such an
/// option.
protocol ChoiceArgument: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

extension ChoiceArgument {
    static var allValueStrings: [String] { allCases.map { $0.rawValue } }
    static var allValueDescriptions: [String: String] { [:] }
    var defaultValueDescription: String { rawValue }

    init?(argument: String) { self.init(rawValue: argument) }
}
