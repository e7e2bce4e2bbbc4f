// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Ask",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "SelfCD", path: "../..")],
  targets: [
    .executableTarget(
      name: "Ask",
      dependencies: [
        .product(name: "SelfCD", package: "SelfCD"), .product(name: "SelfCDLlama", package: "SelfCD"),
      ])
  ])
