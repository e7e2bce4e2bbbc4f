import ArgumentParser
import Foundation
import SelfCDStore

/// Which file runs are kept in.
struct StoreOptions: ParsableArguments {
  @Option(
    help: .init(
      "The run store, an SQLite file; by default selfcd/runs.sqlite in the folder for application data.",
      valueName: "path"))
  var store: String?

  /// The option as it was given.
  var arguments: [String] { store.map { ["--store", $0] } ?? [] }

  /// The file, in `$XDG_DATA_HOME` or `~/.local/share` unless told otherwise (XDG Base Directory Specification).
  var path: String {
    if let store { return (store as NSString).expandingTildeInPath }
    let environment = ProcessInfo.processInfo.environment
    let base =
      environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? URL(filePath: $0) : nil }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".local/share")
    return base.appending(path: "selfcd/runs.sqlite").path
  }

  /// Opens the store, which is made if it is new.
  /// - Throws: `StoreError`.
  func open() throws -> RunStore {
    let folder = URL(filePath: path).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StoreError.cannotOpen(path: path, detail: (error as NSError).localizedDescription)
    }
    return try RunStore(path: path)
  }

  /// Opens the store for what only makes sense with runs in it.
  /// - Throws: `CommandError` when there is none, `StoreError`.
  func openExisting() throws -> RunStore {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandError.invalid(
        "There is no run store at \(path). Run 'selfcd eval' first, or name another file with --store.")
    }
    return try RunStore(path: path)
  }
}
