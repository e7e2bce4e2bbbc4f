// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "SelfCD",
  products: [
    .library(name: "SelfCDEval", targets: ["SelfCDEval"]),
    .library(name: "SelfCDStore", targets: ["SelfCDStore"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "SelfCDEval",
      dependencies: [
        "CZlib",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "RealModule", package: "swift-numerics"),
      ],
      swiftSettings: strict),
    .target(
      name: "SelfCDStore",
      dependencies: ["SelfCDEval", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDEvalTests",
      dependencies: ["SelfCDEval"],
      exclude: ["Fixtures/make_statistics_fixture.py"],
      resources: [.copy("Fixtures/statistics.json")],
      swiftSettings: strict),
    .testTarget(
      name: "SelfCDStoreTests",
      dependencies: ["SelfCDStore", "SelfCDEval", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
