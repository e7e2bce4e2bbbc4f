import Foundation
internal import GRDB

/// Why the store could not do what was asked. Each case says what, why and what to try.
public enum StoreError: Error, Equatable, Codable, Sendable {
  /// The file cannot be opened or created.
  case cannotOpen(path: String, detail: String)
  /// The file is something other than a database.
  case notADatabase(path: String)
  /// A later version of the program has written the file.
  case writtenByNewerVersion(path: String)
  /// Another process holds the file's lock for longer than the time allowed.
  case locked(path: String)
  /// The disk is full. The transaction was rolled back; everything stored before it is intact.
  case diskFull(path: String)
  /// The file may not be written.
  case readOnly(path: String)
  /// The file is damaged.
  case damaged(path: String, detail: String)
  /// The system failed to read or write.
  case inputOutput(path: String, detail: String)
  /// Nothing is stored under the identifier.
  case notFound(what: String, id: String)
  /// An identifier is taken.
  case alreadyExists(what: String, id: String)
  /// A value cannot be stored or read back.
  case badValue(what: String, detail: String)
  /// Any other fault of the database.
  case database(path: String, detail: String)
}

extension StoreError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .cannotOpen(let path, let detail):
      "Cannot open the run store \(path): \(detail)\(detail.hasSuffix(".") ? "" : ".") Check that its folder exists and "
        + "may be written."
    case .notADatabase(let path):
      "\(path) is not a run store. Give the path of a new file, or of one that this program wrote."
    case .writtenByNewerVersion(let path):
      "\(path) was written by a newer version of this program. Update, or use another file."
    case .locked(let path):
      "\(path) is locked by another process. Wait until it is done, or end it, and try again."
    case .diskFull(let path):
      "The disk that holds \(path) is full. What was stored before is intact; make room and resume."
    case .readOnly(let path):
      "\(path) may not be written. Check its permissions and those of its folder."
    case .damaged(let path, let detail):
      "\(path) is damaged (\(detail)). Restore a copy, or recover it with sqlite3's .recover."
    case .inputOutput(let path, let detail):
      "Reading or writing \(path) failed (\(detail)). Check the disk, then resume."
    case .notFound(let what, let id):
      "There is no \(what) '\(id)' in the store. List what there is and check the spelling."
    case .alreadyExists(let what, let id):
      "The store already has a \(what) '\(id)'. Go on with it, or choose another name."
    case .badValue(let what, let detail):
      "\(what) cannot be stored or read: \(detail)."
    case .database(let path, let detail):
      "The run store \(path) failed: \(detail)."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }

  /// The case for any error of the database layer; errors of this type pass through.
  static func wrapping(_ error: any Error, path: String) -> StoreError {
    if let error = error as? StoreError { return error }
    guard let database = error as? DatabaseError else { return .database(path: path, detail: "\(error)") }
    let detail = database.message ?? "SQLite code \(database.extendedResultCode.rawValue)"
    switch database.resultCode {
    case .SQLITE_FULL: return .diskFull(path: path)
    case .SQLITE_BUSY, .SQLITE_LOCKED: return .locked(path: path)
    case .SQLITE_READONLY, .SQLITE_PERM: return .readOnly(path: path)
    case .SQLITE_NOTADB: return .notADatabase(path: path)
    case .SQLITE_CORRUPT: return .damaged(path: path, detail: detail)
    case .SQLITE_CANTOPEN: return .cannotOpen(path: path, detail: detail)
    case .SQLITE_IOERR: return .inputOutput(path: path, detail: detail)
    default: return .database(path: path, detail: detail)
    }
  }
}
