import Foundation

/// The cache's layout, shared with `huggingface_hub` and llama.cpp: a folder per repository with `blobs` by checksum,
/// `refs` from branches to commits, and `snapshots` of commits, whose files are links to blobs.
struct HubCache: Sendable {
  let root: URL
  let repository: String

  private var folderName: String { "models--" + repository.replacing("/", with: "--") }
  var folder: URL { root.appending(path: folderName, directoryHint: .isDirectory) }
  var blobs: URL { folder.appending(path: "blobs", directoryHint: .isDirectory) }

  func blob(_ checksum: HubFile.Checksum) -> URL { blobs.appending(path: checksum.hex) }

  /// Where a download stands until it is whole and right.
  func partial(_ checksum: HubFile.Checksum) -> URL { blobs.appending(path: checksum.hex + ".incomplete") }

  /// The lock that `huggingface_hub` takes for the same blob.
  func lock(_ checksum: HubFile.Checksum) -> URL {
    root.appending(path: ".locks/\(folderName)/\(checksum.hex).lock")
  }

  func snapshot(_ commit: String) -> URL {
    folder.appending(path: "snapshots/\(commit)", directoryHint: .isDirectory)
  }

  /// The commit that a revision stood for when it was last fetched.
  func commit(of revision: String) -> String? {
    if FileManager.default.fileExists(atPath: snapshot(revision).path) { return revision }
    let file = folder.appending(path: "refs/\(revision)")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    let commit = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return commit.count == 40 && commit.allSatisfy(\.isHexDigit) ? commit : nil
  }

  /// The files that are really there for a commit, sorted by path.
  func files(commit: String) -> [String] {
    let base = snapshot(commit)
    let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
    return names.filter { name in
      var isFolder: ObjCBool = false
      // Follows the link: one to a blob that was removed does not count.
      return FileManager.default.fileExists(
        atPath: base.appending(path: name).path, isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }

  // MARK: - Writing

  /// Links a blob into a snapshot.
  func link(_ file: HubFile, commit: String) throws(HubError) {
    let place = snapshot(commit).appending(path: file.path)
    if FileManager.default.fileExists(atPath: place.path) { return }
    let depth = file.path.split(separator: "/").count + 1
    let target = String(repeating: "../", count: depth) + "blobs/" + file.checksum.hex
    try writing(place) {
      try FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      // Removes a link to a blob that is gone.
      try? FileManager.default.removeItem(at: place)
      do {
        try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: target)
      } catch {
        // Another process may have made it; and some file systems have no links.
        if !FileManager.default.fileExists(atPath: place.path) {
          try FileManager.default.moveItem(at: blob(file.checksum), to: place)
        }
      }
    }
  }

  /// Notes the commit a revision stands for.
  func note(_ commit: String, for revision: String) throws(HubError) {
    guard revision != commit else { return }
    let place = folder.appending(path: "refs/\(revision)")
    try writing(place) {
      try FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(commit.utf8).write(to: place, options: .atomic)
    }
  }

  func prepareBlobs() throws(HubError) {
    try writing(blobs) {
      try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
    }
  }

  /// Bytes that are free for the cache; nil where the system does not say.
  var available: Int64? {
    let values = try? FileManager.default.attributesOfFileSystem(forPath: blobs.path)
    return (values?[.systemFreeSize] as? NSNumber)?.int64Value
  }

  private func writing(_ place: URL, _ body: () throws -> Void) throws(HubError) {
    do {
      try body()
    } catch {
      throw .cannotWrite(path: place.path, reason: (error as NSError).localizedDescription)
    }
  }
}
