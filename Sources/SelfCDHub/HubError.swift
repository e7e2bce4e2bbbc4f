import Foundation

/// Where a model comes from. Errors name the settings that count there.
public enum ModelSource: Sendable, Hashable {
  /// The Hugging Face hub or a mirror of it, with the cache that other tools share.
  case hub
  /// The package registry that has the archives of ``PinnedModel``, with this program's own cache.
  case registry

  /// The variable that names a mirror.
  var addressSetting: String { self == .hub ? "HF_ENDPOINT" : "SELFCD_REGISTRY" }
  /// The variable that names the cache.
  var cacheSetting: String { self == .hub ? "HF_HUB_CACHE" : "SELFCD_CACHE" }
  /// What answers there.
  var title: String { self == .hub ? "a model hub" : "a package registry" }
}

/// Why a model could not be had by its name. Each case says what, why and what to try.
public enum HubError: Error, Sendable, Hashable {
  /// A name that is not one.
  case invalidReference(text: String, reason: String)
  /// Neither a file nor a name that is known, with the name that was probably meant.
  case noSuchModel(String, suggestion: String?)
  /// An environment variable that cannot be used.
  case invalidSetting(name: String, value: String, reason: String)
  /// The hub shows no such repository to this user.
  case noSuchRepository(String, endpoint: String, hasToken: Bool)
  /// The repository has no such branch, tag or commit.
  case noSuchRevision(String, repository: String)
  /// The hub does not give the repository's files to this user.
  case noAccess(repository: String, endpoint: String, hasToken: Bool, detail: String)
  /// The repository has models, but not in the quantisation asked for.
  case noSuchQuantisation(String, repository: String, available: [String])
  /// The repository has no GGUF model.
  case noModel(repository: String, files: Int)
  /// A model in several files of which the repository lacks some.
  case incompleteSplit(repository: String, missing: String)
  /// The network must not be used, and the model is not in the cache.
  case notCached(reference: String, cache: String, available: [String])
  /// The network must not be used, and what the cache has under the model's name is not the model.
  case wrongFileCached(path: String, expected: String, found: String)
  /// The source cannot be reached, or broke off too often.
  case network(detail: String, received: Int64?)
  /// The source answers with an error.
  case refused(status: Int, url: String, detail: String, source: ModelSource = .hub)
  /// The source answers something that is not its protocol.
  case unreadableAnswer(url: String, detail: String, source: ModelSource = .hub)
  /// What was received is not what was announced; it was thrown away.
  case wrongChecksum(file: String, expected: String, received: String)
  /// An archive that arrived whole does not hold the file it should; it was thrown away.
  case unreadableArchive(archive: String, file: String, reason: String)
  /// There is no room for the model.
  case diskFull(path: String, needed: Int64?, available: Int64?, source: ModelSource = .hub)
  /// The cache cannot be written.
  case cannotWrite(path: String, reason: String, source: ModelSource = .hub)

  /// The same error where the model comes from `source`.
  func from(_ source: ModelSource) -> HubError {
    switch self {
    case .refused(let status, let url, let detail, _):
      .refused(status: status, url: url, detail: detail, source: source)
    case .unreadableAnswer(let url, let detail, _):
      .unreadableAnswer(url: url, detail: detail, source: source)
    case .diskFull(let path, let needed, let available, _):
      .diskFull(path: path, needed: needed, available: available, source: source)
    case .cannotWrite(let path, let reason, _): .cannotWrite(path: path, reason: reason, source: source)
    default: self
    }
  }
}

extension HubError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .invalidReference(let text, let reason):
      "'\(text)' is not the name of a model: \(reason). Write hf:OWNER/REPO or hf:OWNER/REPO:QUANT."
    case .noSuchModel(let text, let suggestion):
      "There is no file '\(text)', and no model of that name."
        + (suggestion.map { " Did you mean '\($0)'?" } ?? "")
        + " Known by name: \(ModelName.known.joined(separator: ", ")); models of the Hugging Face hub as hf:OWNER/REPO."
    case .invalidSetting(let name, let value, let reason):
      "\(name) is '\(value)': \(reason). Correct or unset it."
    case .noSuchRepository(let repository, let endpoint, let hasToken):
      "\(endpoint) shows no repository \(repository). Check the spelling; "
        + (hasToken
          ? "if it is private, the token in HF_TOKEN has to belong to someone who may read it."
          : "if it is private, put a token that may read it into HF_TOKEN.")
    case .noSuchRevision(let revision, let repository):
      "\(repository) has no revision '\(revision)'. Give one of its branches, tags or commits after '@'."
    case .noAccess(let repository, let endpoint, let hasToken, let detail):
      "\(endpoint) does not give out the files of \(repository)\(detail.isEmpty ? "" : " (\(detail))"). "
        + (hasToken
          ? "Ask for access on \(endpoint)/\(repository) with the account of the token in HF_TOKEN."
          : "Ask for access on \(endpoint)/\(repository), then put that account's token into HF_TOKEN; it is "
            + "sent over https only.")
    case .noSuchQuantisation(let quantisation, let repository, let available):
      "\(repository) has no model in '\(quantisation)'. It has \(Self.list(available))."
    case .noModel(let repository, let files):
      "\(repository) has no GGUF model among its \(files) files. Look for a repository whose name ends in -GGUF."
    case .incompleteSplit(let repository, let missing):
      "The model of \(repository) is split, and its part \(missing) is missing there. Try another quantisation."
    case .notCached(let reference, let cache, let available):
      "\(reference) is not in \(cache), and HF_HUB_OFFLINE does not allow fetching it. "
        + (available.isEmpty
          ? "Unset HF_HUB_OFFLINE once." : "Of this repository the cache has \(Self.list(available)).")
    case .wrongFileCached(let path, let expected, let found):
      "\(path) is not the model that its name stands for: its SHA-256 is \(found), not \(expected); and "
        + "HF_HUB_OFFLINE does not allow fetching it again. Unset HF_HUB_OFFLINE once."
    case .network(let detail, let received):
      "The download failed: \(detail). "
        + ((received ?? 0) > 0
          ? "What has been received is kept; run the command again to go on from there."
          : "Check the connection and the proxy settings, and try again.")
    case .refused(let status, let url, let detail, let source):
      "\(url) answers with status \(status)\(detail.isEmpty ? "" : ": \(detail)"). "
        + Self.advice(status, source)
    case .unreadableAnswer(let url, let detail, let source):
      "\(url) does not answer as \(source.title) does (\(detail)). Check \(source.addressSetting) and the proxy."
    case .wrongChecksum(let file, let expected, let received):
      "\(file) arrived damaged: its checksum is \(received), not \(expected). It was thrown away; try again, and if "
        + "that happens twice, look at the proxy or mirror between."
    case .unreadableArchive(let archive, let file, let reason):
      "\(file) cannot be taken out of \(archive): \(reason). The archive was thrown away; try again. It had arrived "
        + "whole, so if that happens twice, have the disk and the memory checked."
    case .diskFull(let path, let needed, let available, let source):
      "There is not enough room in \(path)"
        + (needed.map { needed in
          ": \(Self.size(needed)) are needed, \(available.map(Self.size) ?? "fewer") are free"
        } ?? "")
        + ". Make room, or set \(source.cacheSetting) to a folder on another disk; what has arrived is kept."
    case .cannotWrite(let path, let reason, let source):
      "\(path) cannot be written: \(reason). Check its permissions, or set \(source.cacheSetting) to another folder."
    }
  }

  private static func advice(_ status: Int, _ source: ModelSource) -> String {
    switch (status, source) {
    case (429, .hub): "Wait a while, or set HF_TOKEN."
    case (408, _), (429, _), (500..., _): "Try again later."
    case (_, .hub): "Check HF_ENDPOINT and the proxy."
    case (_, .registry):
      "Check SELFCD_REGISTRY, which has to name a mirror of PyPI's files if it is set, and the proxy."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(24).joined(separator: ", ")
    return names.count > 24 ? "\(shown) and \(names.count - 24) more" : shown
  }

  private static func size(_ bytes: Int64) -> String {
    String(format: "%.2f GB", Double(bytes) / 1e9)
  }
}
