import Foundation

/// Text compared with a file that a person has looked at.
///
/// Set `SELFCD_RECORD_SNAPSHOTS=1` to write the files anew, then look at what changed before committing it.
package struct Snapshot: Sendable {
  /// The folder of the files.
  package let folder: URL

  /// Makes snapshots in the folder `Snapshots` beside a test's file.
  package init(besideTestFile file: String = #filePath) {
    folder = URL(filePath: file).deletingLastPathComponent().appending(path: "Snapshots")
  }

  /// Where `text` departs from the file of that name: the first line that differs, with both versions; nil where it
  /// does not. Recording writes the file and finds no difference.
  package func difference(of text: String, named name: String) throws -> String? {
    let file = folder.appending(path: name)
    if ProcessInfo.processInfo.environment["SELFCD_RECORD_SNAPSHOTS"] == "1" {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      return nil
    }
    guard FileManager.default.fileExists(atPath: file.path) else {
      return "There is no snapshot \(name). Record it with SELFCD_RECORD_SNAPSHOTS=1 and look at it."
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    guard expected != text else { return nil }
    let old = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let new = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(old, new).prefix { $0 == $1 }.count
    func shown(_ lines: [Substring]) -> String {
      line < lines.count ? String(lines[line].prefix(300)) : "(end)"
    }
    return "\(name), line \(line + 1)\n  recorded: \(shown(old))\n  now:      \(shown(new))"
  }
}
