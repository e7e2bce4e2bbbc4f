import Foundation
import SelfCDHTTP
import SelfCDSupport

/// Where models come from and where they are kept, by the environment variables of the Hugging Face libraries.
///
/// Proxies (`http_proxy`, `https_proxy`, `no_proxy`) need no setting: the transport reads them itself.
public struct HubSettings: Sendable {
  /// The hub, or a mirror of it (`HF_ENDPOINT`).
  public var endpoint: URL
  /// The cache's folder, which other tools share.
  public var cache: URL
  /// Whether the network must not be used (`HF_HUB_OFFLINE`).
  public var isOffline: Bool
  /// The access token (`HF_TOKEN`); never printed, and sent to the endpoint only.
  let token: String?

  /// Makes settings.
  public init(endpoint: URL, cache: URL, token: String? = nil, isOffline: Bool = false) {
    self.endpoint = endpoint
    self.cache = cache
    self.token = token
    self.isOffline = isOffline
  }

  /// Reads the settings of an environment.
  ///
  /// The cache is `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `HF_HOME/hub`, else
  /// `XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`, as in `huggingface_hub`.
  /// - Throws: ``HubError/invalidSetting(name:value:reason:)``.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(HubError) {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    let folders = UserFolders(environment: environment)
    func folder(_ name: String) -> URL? {
      value(name).map { URL(filePath: folders.expand($0), directoryHint: .isDirectory) }
    }
    let address = value("HF_ENDPOINT") ?? "https://huggingface.co"
    let endpoint = try Self.webAddress(address, from: "HF_ENDPOINT")
    let token = value("HF_TOKEN")?.trimmingCharacters(in: .whitespacesAndNewlines)
    guard token?.unicodeScalars.allSatisfy({ (0x21...0x7E).contains($0.value) }) ?? true else {
      throw .invalidSetting(name: "HF_TOKEN", value: "(not shown)", reason: "tokens are letters and digits")
    }
    self.init(
      endpoint: endpoint,
      cache: folder("HF_HUB_CACHE") ?? folder("HUGGINGFACE_HUB_CACHE")
        ?? folder("HF_HOME")?.appending(path: "hub", directoryHint: .isDirectory)
        ?? folders.cache.appending(path: "huggingface/hub", directoryHint: .isDirectory),
      token: token,
      isOffline: Self.isOffline(in: environment))
  }

  /// Whether an environment says that the network must not be used, whatever its other settings are.
  static func isOffline(in environment: [String: String]) -> Bool {
    ["1", "true", "yes", "on"].contains(environment["HF_HUB_OFFLINE"]?.lowercased() ?? "")
  }

  /// The web address that an environment variable holds.
  /// - Throws: ``HubError/invalidSetting(name:value:reason:)``.
  static func webAddress(_ text: String, from name: String) throws(HubError) -> URL {
    guard let url = WebAddress.url(text) else {
      throw .invalidSetting(
        name: name, value: WebAddress.withoutUser(text),
        reason: "it is not a web address, as https://example.org/path is")
    }
    return url
  }

  /// The token, where it may be sent: over an encrypted connection, or to this machine.
  var sendableToken: String? {
    let isLocal = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(endpoint.host?.lowercased() ?? "")
    return endpoint.scheme?.lowercased() == "https" || isLocal ? token : nil
  }
}
