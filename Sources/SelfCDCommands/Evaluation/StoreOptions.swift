import ArgumentParser
import Foundation
import SelfCDStore
import SelfCDSupport

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
    if let store { return UserFolders.current.expand(store) }
    return UserFolders.current.data.appending(path: "selfcd/runs.sqlite").path
  }

  /// Opens the store, which is made if it is new.
  /// - Throws: `StoreError`; `CommandError` where the usual folder cannot be used.
  func open() throws -> RunStore {
    let folder = URL(filePath: path).deletingLastPathComponent()
    do {
      do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      } catch {
        throw StoreError.cannotOpen(path: path, detail: "the folder \(folder.path) cannot be made")
      }
      return try RunStore(path: path)
    } catch let error as StoreError where store == nil {
      switch error {
      case .cannotOpen, .readOnly:
        throw CommandError.invalid(
          "\(error) Or name another file with --store, or another folder in XDG_DATA_HOME.")
      default: throw error
      }
    }
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
