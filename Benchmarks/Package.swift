// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "SelfCDBenchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "SelfCD", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // What a C compiler makes of the same arithmetic, to measure the Swift kernels by.
    .target(name: "ReferenceKernel", cSettings: [.unsafeFlags(["-O3"])]),
    .executableTarget(
      name: "selfcd-bench",
      dependencies: [
        "ReferenceKernel",
        .product(name: "SelfCD", package: "SelfCD"),
        .product(name: "SelfCDLlama", package: "SelfCD"),
        .product(name: "SelfCDExplain", package: "SelfCD"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6]
)
