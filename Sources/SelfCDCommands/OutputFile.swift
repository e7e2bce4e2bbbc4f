import Foundation

/// Where a page goes that was asked for.
enum OutputFile {
  /// Writes to a file, all or nothing, and says so; to standard output where `path` is nil or `-`.
  /// - Throws: ``CommandError/outputFailed(reason:)``.
  static func write(_ text: String, to path: String?, _ console: Console) throws {
    guard let path, path != "-" else { return try console.write(text) }
    do {
      try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw CommandError.outputFailed(reason: "\(path): \((error as NSError).localizedDescription)")
    }
    console.note("wrote \(path).")
  }
}
