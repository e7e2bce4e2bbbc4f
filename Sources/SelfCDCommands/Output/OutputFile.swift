import Foundation
import SelfCDSupport

/// Where a result goes that was asked for.
enum OutputFile {
  /// Writes to a file, all or nothing, and says so; to standard output where `path` is nil or `-`.
  /// - Throws: ``CommandError/outputFailed(reason:)``.
  static func write(_ text: String, to path: String?, _ console: Console) throws {
    guard let path, path != "-" else { return try console.write(text) }
    do {
      let file = UserFolders.current.expand(path)
      if isSpecial(file), let handle = FileHandle(forWritingAtPath: file) {
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
      } else {
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
      }
    } catch {
      throw CommandError.outputFailed(reason: "\(path): \((error as NSError).localizedDescription)")
    }
    console.note("wrote \(path).")
  }

  /// Writes piece by piece what may be too long for one text.
  /// - Throws: ``CommandError/outputFailed(reason:)``, and what `body` throws.
  static func stream(
    to path: String?, _ console: Console, _ body: ((String) throws -> Void) throws -> Void
  ) throws {
    guard let path, path != "-" else { return try body(console.write) }
    let file = UserFolders.current.expand(path)
    guard isSpecial(file) || FileManager.default.createFile(atPath: file, contents: nil),
      let handle = FileHandle(forWritingAtPath: file)
    else { throw CommandError.outputFailed(reason: "\(path) cannot be created") }
    try body { try handle.write(contentsOf: Data($0.utf8)) }
    try handle.close()
    console.note("wrote \(path).")
  }

  /// Whether there is a regular file, which writing would replace.
  static func isFile(_ path: String) -> Bool {
    let file = URL(filePath: UserFolders.current.expand(path)).resolvingSymlinksInPath().path
    let type = try? FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType
    return type == .typeRegular
  }

  /// Whether there is something other than a regular file: a device or a pipe is written to and not replaced.
  private static func isSpecial(_ file: String) -> Bool {
    let path = URL(filePath: file).resolvingSymlinksInPath().path
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    return type != nil && type != .typeRegular && type != .typeDirectory
  }

  /// A file's name without its folders, for what is passed on to others: folders have users' names in them.
  static func name(_ path: String) -> String { URL(filePath: path).lastPathComponent }
}
