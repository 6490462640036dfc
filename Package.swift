// swift-tools-version: 6.2
import PackageDescription

/// Every target builds with the same settings: what the compiler can catch, a reviewer need not (docs/decisions/001).
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Set by `scripts/fuzz`, which builds in a folder of its own: our own code, optimised and instrumented for libFuzzer.
let isFuzzed = Context.environment["MARTLET_FUZZ"] != nil
let settings = isFuzzed ? strict + [.unsafeFlags(["-O", "-sanitize=fuzzer"])] : strict

let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let hashTrees = Target.Dependency.product(name: "HashTreeCollections", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let hummingbird = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let tls: [Target.Dependency] = [
    .product(name: "HummingbirdHTTP2", package: "hummingbird"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "NIOHTTP2", package: "swift-nio-http2"), .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "X509", package: "swift-certificates"), .product(name: "Crypto", package: "swift-crypto"),
    .product(name: "SwiftASN1", package: "swift-asn1"),
]
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Its headers alone: the library is loaded when it is needed (docs/decisions/014).
        .systemLibrary(name: "CLibgit2", providers: [.apt(["libgit2-dev"])]),
        .systemLibrary(
            name: "CLibyaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CSupervisor"),
        .target(name: "Assets"),

        library("Model", ["CLibyaml"]),
        library("CEL", ["Model"]),
        library("Kinds", ["Model", "CEL", "Assets"], exclude: ["Schemas"]),
        library("Cluster", ["Model", "Kinds", collections, hashTrees]),
        library("Store", ["Model", "CSQLite", collections, hashTrees, logging]),
        library(
            "Engine",
            [
                "Model", "CEL", "Kinds", "Cluster", "Store", "CSupervisor", collections, hashTrees, logging, httpClient,
            ] + nio),
        library("KubernetesClient", ["Model", "Kinds", "Cluster", httpClient, logging] + nio),
        library("GitSource", ["CLibgit2", crypto, logging]),
        library("Kustomize", ["Model", "CEL", "GitSource", crypto]),
        library("Rendering", ["Model", "Kinds", "GitSource", "Kustomize"]),
        library("Reconciler", ["Model", "Kinds", "Cluster", "GitSource", "Kustomize", "Rendering", logging]),
        library("Validation", ["Model", "Kinds", "GitSource", "Rendering"]),
        library("Server", ["Model", "Kinds", "Cluster", "CZlib", hummingbird, logging, lifecycle] + nio + tls),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Model", "Kinds", "Cluster", "Store", "Engine", "KubernetesClient", "GitSource", "Kustomize",
                "Rendering",
                "Reconciler", "Validation", "Rehearsal", "Server", "CSupervisor", "CMalloc", arguments, logging,
                lifecycle, httpClient, signals,
            ] + nio,
            swiftSettings: settings),
        // What tests run as a pod's supervisor, in the place of martlet itself.
        .executableTarget(name: "martlet-supervisor", dependencies: ["CSupervisor"]),
        library("SimulationKit", ["Model", "Kinds", "Cluster", "Store", "Engine", collections, logging]),
        library(
            "Rehearsal", ["Model", "Kinds", "Cluster", "Store", "Engine", "Reconciler", "SimulationKit", logging]),
        .executableTarget(name: "generate-kinds", dependencies: ["Model"], swiftSettings: settings),
        // Not a package of its own: `package` access ends at the package (docs/decisions/002-benchmarks.md).
        .executableTarget(
            name: "martlet-bench",
            dependencies: [
                "martlet", "Model", "Kinds", "Cluster", "Store", "GitSource", "Reconciler", "KubernetesClient",
                "Engine", "SimulationKit", "Rehearsal",
                "CLibyaml", "CSQLite", logging, .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio,
            path: "Benchmarks", swiftSettings: settings),

        // Git servers, sshd and small disks on this machine, for tests.
        .target(name: "TestTrees", dependencies: ["GitSource"], path: "Tests/TestTrees", swiftSettings: settings),
        .target(name: "TestServers", path: "Tests/TestServers", swiftSettings: settings),
        // What is fuzzed, by libFuzzer and, with the inputs that it found, by tests.
        .target(
            name: "Fuzzing", dependencies: ["Model", "Kinds", "CEL"], path: "Tests/Fuzzing", swiftSettings: settings),
        tests("FuzzingTests", ["Fuzzing"]),
        tests("ModelTests", ["Model"]),
        tests("KindsTests", ["Model", "Kinds", "generate-kinds"], exclude: ["Vectors"]),
        tests("ClusterTests", ["Model", "Kinds", "Cluster", "SimulationKit"]),
        tests("StoreTests", ["Model", "Store", "CSQLite"]),
        tests(
            "EngineTests",
            [
                "Model", "Kinds", "Cluster", "Store", "Engine", "SimulationKit", "martlet-supervisor", hashTrees,
                logging,
            ] + nio),
        tests("GitSourceTests", ["GitSource", "TestServers"]),
        tests("KustomizeTests", ["Model", "GitSource", "Kustomize"], exclude: ["Cases"]),
        tests("ValidationTests", ["Model", "Kinds", "GitSource", "Rendering", "Validation", "TestTrees"]),
        tests("RenderingTests", ["Model", "Kinds", "GitSource", "Kustomize", "Rendering", "TestTrees"]),
        tests("CELTests", ["Model", "CEL"]),
        tests(
            "ReconcilerTests",
            [
                "Model", "Kinds", "Cluster", "Store", "Engine", "GitSource", "Rendering", "Reconciler", "SimulationKit",
                logging,
            ]),
        tests(
            "ServerTests",
            [
                "Model", "Kinds", "Cluster", "Store", "Engine", "Server", "KubernetesClient", "CZlib", logging,
                lifecycle, httpClient, hummingbird, .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio + tls, exclude: ["Goldens"]),
        tests("KubernetesClientTests", ["Model", "Kinds", "Cluster", "KubernetesClient", logging] + nio + tls),
        tests(
            "SimulationTests",
            [
                "Model", "Kinds", "Cluster", "Store", "Engine", "Reconciler", "GitSource", "Rendering", "SimulationKit",
                "TestServers",
            ]),
        tests(
            "RehearsalTests",
            [
                "Model", "Kinds", "Cluster", "Store", "Engine", "Reconciler", "Rehearsal", "SimulationKit",
                "TestServers",
            ], exclude: ["Goldens"]),
        tests(
            "EndToEndTests",
            [
                "martlet", "Model", "Kinds", "Cluster", "KubernetesClient", "Reconciler", "Rehearsal", "TestServers",
                logging,
            ],
            exclude: ["python_client.py"]),
        tests(
            "MartletTests", ["martlet", "Model", "Kinds", "Cluster", "Engine", "SimulationKit", arguments]),
        tests("TidyTests", []),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// What libFuzzer drives. Without its library there is nothing to link it with, so other builds do not know it.
if isFuzzed {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/CFuzzer"),
        .executableTarget(
            name: "martlet-fuzz", dependencies: ["CFuzzer", "Fuzzing"], path: "Tests/martlet-fuzz",
            swiftSettings: settings, linkerSettings: [.linkedLibrary("stdc++")]),
    ]
}
