import CFuzzer
import Fuzzing
import Glibc

/// Lets libFuzzer make up inputs for the target that `FUZZ_TARGET` names; the arguments are libFuzzer's own.
///
/// Built and started by `scripts/fuzz`.
@main
enum MartletFuzz {
    private static let target: FuzzTarget = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
            let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
            fatalError("FUZZ_TARGET is \"\(name)\"; it must be one of \(names)")
        }
        return target
    }()

    static func main() {
        if CommandLine.arguments.dropFirst() == ["list"] {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        _ = target
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        let code = LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            let input = Array(UnsafeBufferPointer(start: data, count: size))
            do {
                try MartletFuzz.target.run(input)
            } catch {
                fatalError("\(MartletFuzz.target.name): \(error)")
            }
            return 0
        }
        exit(code)
    }
}
