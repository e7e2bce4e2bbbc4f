import Crypto
import Foundation
import SelfCD
import SelfCDExplain
import SelfCDStore
import SelfCDSupport

/// The replies from which it is learned how a model's refusals begin, kept so that each explanation can go on where the
/// last one stopped.
///
/// They are kept in `$XDG_CACHE_HOME` or `~/.cache` (XDG Base Directory Specification), under a name that changes with
/// the model's hash, the sets of prompts, the ways of decoding, the judge and the limits.
struct BeginningsCache {
  let folder: URL

  init(folders: UserFolders = .current) {
    folder = folders.ownCache.appending(path: "beginnings")
  }

  /// Everything that a reply and its verdict depend on, apart from the prompt.
  struct Key: Encodable {
    var version = 3
    var modelSHA256: String
    var templateOptions: [String]
    var datasets: [String]
    var views: [String]
    var system: String?
    var judge: String
    var limits: RefusalBeginnings.Limits
    var maximumTokens: Int
    var repetitions: Int
    var seed: UInt64
  }

  func file(for key: Key) throws -> URL {
    let digest = SHA256.hash(data: Data(try CanonicalJSON.text(key).utf8))
    let name = digest.prefix(16).hexadecimal
    return folder.appending(path: "\(name).json")
  }

  /// The replies that are known; none where the file is damaged: they are then generated again.
  func stored(for key: Key) throws -> [LearnedReply] {
    guard let data = try? Data(contentsOf: try file(for: key)) else { return [] }
    return (try? JSONDecoder().decode([LearnedReply].self, from: data)) ?? []
  }

  /// Keeps more replies beside those that are kept already, which another program may have added to.
  /// - Returns: Whether that was possible; not being able to is no reason to end.
  func add(_ replies: [LearnedReply], for key: Key, console: Console) throws -> Bool {
    guard !replies.isEmpty else { return true }
    let known = try stored(for: key)
    let keys = Set(known.map(\.key))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let data = try encoder.encode(known + replies.filter { !keys.contains($0.key) })
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try data.write(to: try file(for: key), options: .atomic)
      return true
    } catch {
      console.note(
        "what was learned could not be kept in \(folder.path): \((error as NSError).localizedDescription)")
      return false
    }
  }

  /// Forgets the replies.
  func remove(for key: Key) throws { try? FileManager.default.removeItem(at: try file(for: key)) }
}
