import Foundation
import Testing

/// The package as its manifest describes it.
struct Manifest: Decodable {
  struct Target: Decodable {
    let name: String
    let type: String
    let path: String?
    let dependencies: [Dependency]

    /// Where its sources are, from the root of the repository.
    var folder: String { path ?? (type == "test" ? "Tests/" : "Sources/") + name }
    var isTest: Bool { type == "test" }
  }

  /// Another target of this package, or a product of another package.
  struct Dependency: Decodable {
    let name: String
    let isOutside: Bool

    private enum Keys: String, CodingKey {
      case byName, product, target
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Keys.self)
      let key: Keys = try #require(container.allKeys.first)
      var list = try container.nestedUnkeyedContainer(forKey: key)
      name = try list.decode(String.self)
      isOutside = key == .product
    }
  }

  let targets: [Target]

  /// The repository, found from this file.
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../..").standardizedFileURL

  /// Asks the package manager, with a folder of its own: the usual one is locked while tests run.
  static func load() throws -> Manifest {
    let scratch = FileManager.default.temporaryDirectory.appending(
      path: "selfcd-manifest-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path, "dump-package",
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "swift package dump-package failed")
    return try JSONDecoder().decode(Manifest.self, from: data)
  }
}
