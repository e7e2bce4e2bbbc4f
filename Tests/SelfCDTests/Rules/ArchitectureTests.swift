import Foundation
import Testing

/// What the manifest declares is what the sources import, and what docs/architecture.md draws.
@Suite struct ArchitectureTests {
  /// Modules that come with the toolchain.
  private static let system: Set = [
    "Dispatch", "Foundation", "FoundationNetworking", "Glibc", "Darwin", "Musl", "Synchronization", "Testing",
  ]

  @Test func everyImportIsDeclaredAndEveryDependencyImported() throws {
    let manifest = try Manifest.load()
    for target in manifest.targets where target.type != "system" {
      // C and C++ say include, and name headers.
      guard let imported = try Self.imports(of: target)?.subtracting(Self.system) else { continue }
      // An executable is not imported: tests depend on it so that it is built.
      let declared = Set(target.dependencies.map(\.name)).subtracting(["selfcd"])
      #expect(imported == declared, "\(target.name)")
    }
  }

  /// The modules that a target's Swift files import; nil where it has none.
  private static func imports(of target: Manifest.Target) throws -> Set<String>? {
    let folder = Manifest.root.appending(path: target.folder)
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil), "\(target.folder)")
    let statement =
      #/^(?:@[a-zA-Z]+ |public |package |internal |private |fileprivate )*import (?:[a-z]+ )?(\w+)/#
    var modules: Set<String> = []
    var hasSwift = false
    for case let file as URL in files where file.pathExtension == "swift" {
      hasSwift = true
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        if let match = line.firstMatch(of: statement) { modules.insert(String(match.1)) }
      }
    }
    return hasSwift ? modules : nil
  }

  /// A row of the table: target, what it stands on in this package, what it takes from others.
  private struct Row: Equatable, CustomStringConvertible {
    let name: String
    let inside: Set<String>
    let outside: Set<String>

    var description: String {
      "| `\(name)` | \(inside.sorted().joined(separator: ", ")) | \(outside.sorted().joined(separator: ", ")) |"
    }
  }

  @Test func theDocumentDrawsTheManifest() throws {
    let manifest = try Manifest.load()
    let declared = manifest.targets.filter { !$0.isTest && $0.type != "system" }.map { target in
      Row(
        name: target.name, inside: Set(target.dependencies.filter { !$0.isOutside }.map(\.name)),
        outside: Set(target.dependencies.filter(\.isOutside).map(\.name)))
    }
    let text = try String(
      contentsOf: Manifest.root.appending(path: "docs/architecture.md"), encoding: .utf8)
    let drawn = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { line -> Row? in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count >= 5 else { return nil }
      func names(_ cell: String) -> Set<String> {
        Set(cell.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }).subtracting([""])
      }
      return Row(
        name: cells[1].trimmingCharacters(in: ["`"]), inside: names(cells[3]), outside: names(cells[4]))
    }
    for row in declared { #expect(drawn.contains(row), "expected in docs/architecture.md: \(row)") }
    #expect(drawn.count == declared.count)
  }
}
