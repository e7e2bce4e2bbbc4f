import Crypto
import Foundation
import SelfCD
import SelfCDEval
import SelfCDExplain
import SelfCDResources
import SelfCDStore

/// How a model's refusals begin, learned once: from replies to the bundled prompts, or from a stored run.
///
/// What was learned is kept in `$XDG_CACHE_HOME` or `~/.cache` (XDG Base Directory Specification), under a name that
/// changes with the model's hash, the prompts, the ways of decoding, the judge and the limits.
struct BeginningsCache {
  let folder: URL

  init(folders: UserFolders = .current) {
    folder = folders.cache.appending(path: "selfcd/beginnings")
  }

  /// Everything that what is learned depends on.
  struct Key: Encodable {
    var version = 2
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
    let name = digest.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return folder.appending(path: "\(name).json")
  }

  /// What was learned before; nil where nothing was, or where the file is damaged: it is then learned again.
  func stored(for key: Key) throws -> RefusalBeginnings? {
    guard let data = try? Data(contentsOf: try file(for: key)) else { return nil }
    return try? JSONDecoder().decode(RefusalBeginnings.self, from: data)
  }

  /// Keeps what was learned; not being able to is no reason to end.
  func store(_ beginnings: RefusalBeginnings, for key: Key, console: Console) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let data = try encoder.encode(beginnings)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try data.write(to: try file(for: key), options: .atomic)
    } catch {
      console.note(
        "what was learned could not be kept in \(folder.path): \((error as NSError).localizedDescription)")
    }
  }
}
