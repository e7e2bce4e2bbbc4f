// swift-tools-version: 6.2
import PackageDescription

/// An example: one file, and the products of SelfCD that it imports.
func example(_ name: String, _ products: [String]) -> Target {
  .executableTarget(name: name, dependencies: products.map { .product(name: $0, package: "SelfCD") })
}

let package = Package(
  name: "Examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "SelfCD", path: "..")],
  targets: [
    example("Chat", ["SelfCD", "SelfCDLlama"]),
    example("Streaming", ["SelfCD", "SelfCDHub", "SelfCDLlama"]),
    example("CustomStrategy", ["SelfCD", "SelfCDLlama"]),
    example(
      "Evaluate",
      ["SelfCD", "SelfCDLlama", "SelfCDData", "SelfCDEval", "SelfCDStore", "SelfCDRuns", "SelfCDReport"]),
    example(
      "Calibrate", ["SelfCD", "SelfCDLlama", "SelfCDData", "SelfCDEval", "SelfCDStore", "SelfCDRuns"]),
    example("Profile", ["SelfCD", "SelfCDLlama", "SelfCDEval"]),
    example("Serve", ["SelfCDServer", "SelfCDLlamaServer"]),
  ],
  swiftLanguageModes: [.v6])
