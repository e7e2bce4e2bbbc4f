// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// `make test-release` sets SELFCD_TESTABLE, so that tests reach internals of optimized modules. Set here rather than
/// by a compiler option, it leaves the builds of the dependencies as they are.
let testable = ProcessInfo.processInfo.environment["SELFCD_TESTABLE"] != nil
/// `make demo` sets SELFCD_WITHOUT_SERVER: `selfcd` is then built without `serve`, and so without Hummingbird and
/// SwiftNIO, which take a large part of a first build.
let withServer = ProcessInfo.processInfo.environment["SELFCD_WITHOUT_SERVER"] == nil
/// `make` and `Packaging/release` set SELFCD_COMMIT to what Scripts/commit prints, for `selfcd --version`. Plain
/// `swift build` has none: SwiftPM keeps an evaluated manifest, so a commit read here would soon be an old one.
let commit = (ProcessInfo.processInfo.environment["SELFCD_COMMIT"] ?? "").filter {
  $0.isLetter || $0.isNumber || $0 == "-"
}
let commitSettings: [CSetting] = commit.isEmpty ? [] : [.define("SELFCD_COMMIT", to: "\"\(commit)\"")]
let strict: [SwiftSetting] =
  [.treatAllWarnings(as: .error)] + (testable ? [.unsafeFlags(["-enable-testing"])] : [])

/// What lies beside the embedded models: how they were made, what they are tested with, and a larger model's adapters.
let organismExcludes = [
  "organism/README.md", "organism/SHA256SUMS", "organism/fixtures", "organism/heldout", "organism/training",
  "smollm2-overrefusal",
].filter { FileManager.default.fileExists(atPath: Context.packageDirectory + "/Models/" + $0) }

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let realModule = Target.Dependency.product(name: "RealModule", package: "swift-numerics")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

let package = Package(
  name: "SelfCD",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "SelfCD", targets: ["SelfCD"]),
    .library(name: "SelfCDLlama", targets: ["SelfCDLlama"]),
    .library(name: "SelfCDData", targets: ["SelfCDData"]),
    .library(name: "SelfCDJudges", targets: ["SelfCDJudges"]),
    .library(name: "SelfCDStatistics", targets: ["SelfCDStatistics"]),
    .library(name: "SelfCDEval", targets: ["SelfCDEval"]),
    .library(name: "SelfCDExplain", targets: ["SelfCDExplain"]),
    .library(name: "SelfCDServer", targets: ["SelfCDServer"]),
    .library(name: "SelfCDLlamaServer", targets: ["SelfCDLlamaServer"]),
    .library(name: "SelfCDStore", targets: ["SelfCDStore"]),
    .library(name: "SelfCDRuns", targets: ["SelfCDRuns"]),
    .library(name: "SelfCDHub", targets: ["SelfCDHub"]),
    .library(name: "SelfCDReport", targets: ["SelfCDReport"]),
    .library(name: "SelfCDTesting", targets: ["SelfCDTesting"]),
    .executable(name: "selfcd", targets: ["selfcd"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.10.0"),
  ],
  targets: [
    .target(name: "SelfCD", swiftSettings: strict),

    // Found through the .pc files that Scripts/setup writes: PKG_CONFIG_PATH has to name their folders.
    .systemLibrary(name: "CLlama", pkgConfig: "selfcd-llama"),
    .systemLibrary(name: "CChatTemplate", pkgConfig: "selfcd-chat-template"),
    .target(name: "CGrammar", dependencies: ["CLlama"]),
    .target(
      name: "SelfCDLlama", dependencies: ["SelfCD", "CLlama", "CChatTemplate", "CGrammar"],
      swiftSettings: strict),
    .target(
      name: "SelfCDOrganism", dependencies: ["SelfCDSupport"],
      path: "Models", exclude: organismExcludes, sources: ["Organism.swift"],
      resources: [
        .copy("organism/selfcd-organism.f16.gguf"), .copy("organism/selfcd-organism-unbiased.f16.gguf"),
        .copy("organism/selfcd-organism.profile.json"),
      ], swiftSettings: strict),

    .target(name: "CSelfCDCommit", cSettings: commitSettings),
    .target(
      name: "SelfCDSupport", dependencies: ["CSelfCDCommit", "CZlib", crypto], swiftSettings: strict),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "SelfCDData", dependencies: ["SelfCDSupport", crypto],
      resources: [.copy("Resources/benchmark")], swiftSettings: strict),
    .target(name: "SelfCDStatistics", dependencies: ["SelfCD", realModule], swiftSettings: strict),
    .target(
      name: "SelfCDJudges",
      dependencies: ["SelfCD", "SelfCDSupport", "SelfCDHTTP", "SelfCDStatistics", "SelfCDData", crypto],
      // Part of the program, so that no judge can be missing its rules.
      resources: [
        .embedInCode("Resources/judge/lexicon.json"), .embedInCode("Resources/judge/weights.json"),
      ], swiftSettings: strict),
    .target(
      name: "SelfCDEval",
      dependencies: ["SelfCD", "SelfCDSupport", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", crypto],
      swiftSettings: strict),
    .target(
      name: "SelfCDStore",
      dependencies: ["SelfCD", "SelfCDSupport", "SelfCDData", "SelfCDJudges", "SelfCDEval", grdb],
      swiftSettings: strict),
    .target(
      name: "SelfCDRuns",
      dependencies: ["SelfCD", "SelfCDSupport", "SelfCDData", "SelfCDJudges", "SelfCDEval", "SelfCDStore"],
      swiftSettings: strict),
    .target(
      name: "SelfCDReport",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", "SelfCDEval",
        "SelfCDStore", "SelfCDRuns", "SelfCDExplain", crypto,
      ],
      swiftSettings: strict),

    .target(
      name: "SelfCDExplain",
      dependencies: ["SelfCD", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", "SelfCDEval", realModule],
      swiftSettings: strict),
    .target(
      name: "SelfCDServer",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDJudges", crypto, logging, nioCore, nioPosix, unixSignals,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [.copy("Resources/playground")],
      swiftSettings: strict),

    .target(
      name: "SelfCDLlamaServer",
      dependencies: ["SelfCD", "SelfCDSupport", "SelfCDEval", "SelfCDLlama", "SelfCDServer"],
      swiftSettings: strict),

    .target(name: "SelfCDHTTP", swiftSettings: strict),
    .target(
      name: "SelfCDHub", dependencies: ["SelfCDSupport", "SelfCDHTTP", "SelfCDOrganism", crypto],
      swiftSettings: strict),

    .target(
      name: "SelfCDCommands",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", "SelfCDEval",
        "SelfCDStore", "SelfCDRuns", "SelfCDLlama", "SelfCDOrganism", "SelfCDHub", "SelfCDExplain",
        "SelfCDReport", crypto, .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ] + (withServer ? ["SelfCDServer", "SelfCDLlamaServer", logging, unixSignals] : []),
      exclude: withServer ? [] : ["Serving"],
      swiftSettings: strict + (withServer ? [] : [.define("SELFCD_WITHOUT_SERVER")])),
    .executableTarget(name: "selfcd", dependencies: ["SelfCDCommands"], swiftSettings: strict),

    .target(
      name: "SelfCDTesting", dependencies: ["SelfCD"], resources: [.copy("Servers")], swiftSettings: strict),
    .testTarget(
      name: "SelfCDTests", dependencies: ["SelfCD", "SelfCDTesting"],
      exclude: ["Fixtures/make_penalty_golden.py", "Fixtures/make_sampling_golden.py"],
      resources: [.copy("Fixtures/penalty_golden.json"), .copy("Fixtures/sampling_golden.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDLlamaTests",
      dependencies: ["SelfCD", "SelfCDLlama", "SelfCDOrganism", "CLlama", crypto],
      exclude: ["Fixtures/make_flow_golden.py"],
      resources: [.copy("Fixtures/template_parity.json"), .copy("Fixtures/flow_golden.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDDataTests",
      dependencies: ["SelfCDSupport", "SelfCDStatistics", "SelfCDData", "SelfCDTesting"],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDStatisticsTests", dependencies: ["SelfCD", "SelfCDStatistics"],
      exclude: ["Fixtures/make_statistics_fixture.py"], resources: [.copy("Fixtures/statistics.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDJudgesTests",
      dependencies: [
        "SelfCD", "SelfCDHTTP", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", "SelfCDTesting",
      ],
      resources: [.copy("Fixtures/judge_replies.jsonl"), .copy("Fixtures/judge_golden.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDEvalTests",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", "SelfCDEval",
        "SelfCDTesting",
      ],
      exclude: ["Fixtures/make_calibration_fixture.py"], resources: [.copy("Fixtures/calibration.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDStoreTests",
      dependencies: ["SelfCDData", "SelfCDJudges", "SelfCDEval", "SelfCDStore", grdb], swiftSettings: strict),
    .testTarget(
      name: "SelfCDExplainTests",
      dependencies: [
        "SelfCD", "SelfCDData", "SelfCDJudges", "SelfCDLlama", "SelfCDOrganism", "SelfCDExplain",
        "SelfCDTesting",
      ],
      exclude: ["Fixtures/make_explain_fixture.py"], resources: [.copy("Fixtures/explain.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDServerTests",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDHTTP", "SelfCDData", "SelfCDJudges", "SelfCDLlama",
        "SelfCDOrganism", "SelfCDServer", "SelfCDTesting", logging, nioCore,
      ],
      resources: [.copy("ClientBodies")], swiftSettings: strict),
    .testTarget(
      name: "SelfCDHubTests", dependencies: ["SelfCDHTTP", "SelfCDHub", "SelfCDTesting", crypto],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDReportTests",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDStatistics", "SelfCDData", "SelfCDJudges", "SelfCDEval",
        "SelfCDExplain", "SelfCDReport", "SelfCDTesting", crypto,
      ],
      exclude: ["Snapshots"], swiftSettings: strict),
    .testTarget(
      name: "SelfCDCommandsTests",
      dependencies: [
        "SelfCD", "SelfCDSupport", "SelfCDHTTP", "SelfCDStatistics", "SelfCDData", "SelfCDJudges",
        "SelfCDEval", "SelfCDStore", "SelfCDRuns", "SelfCDOrganism", "SelfCDTesting", "SelfCDCommands",
        "selfcd",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Fixtures", "Snapshots"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)

// Only who builds the documentation needs the plugin (`make docs`).
if ProcessInfo.processInfo.environment["SELFCD_DOCS"] != nil {
  package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}
