import Foundation

/// The folders of whoever runs the program, by the environment: `$HOME`, the variables of the XDG Base Directory
/// Specification, and `$SELFCD_CACHE`. Nothing else in this package knows where this program's own files are; the cache
/// that it shares with other programs is `HubSettings`' concern.
///
/// Foundation asks the account's entry before `$HOME`, which is another folder under `sudo`, in containers and in CI.
package struct UserFolders: Sendable, Hashable {
  /// `$HOME`; the account's folder where that is unset, empty or no absolute path.
  package let home: URL
  /// For what is to be kept: `$XDG_DATA_HOME`, else `~/.local/share`.
  package let data: URL
  /// For what can be made again: `$XDG_CACHE_HOME`, else `~/.cache`.
  package let cache: URL
  /// This program's own part of it: `$SELFCD_CACHE`, else `cache/selfcd`, as in `Scripts/setup`.
  package let ownCache: URL

  /// The folders in this process's environment.
  package static let current = UserFolders()

  /// The folders in an environment.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    // The specification has a relative path ignored, since it would mean another folder wherever one stands.
    func absolute(_ name: String) -> URL? {
      environment[name].flatMap { $0.hasPrefix("/") ? URL(filePath: $0, directoryHint: .isDirectory) : nil }
    }
    let home = absolute("HOME") ?? FileManager.default.homeDirectoryForCurrentUser
    self.home = home
    data = absolute("XDG_DATA_HOME") ?? home.appending(path: ".local/share", directoryHint: .isDirectory)
    let cache = absolute("XDG_CACHE_HOME") ?? home.appending(path: ".cache", directoryHint: .isDirectory)
    self.cache = cache
    let own = environment["SELFCD_CACHE"] ?? ""
    ownCache =
      own.isEmpty
      ? cache.appending(path: "selfcd", directoryHint: .isDirectory)
      : URL(filePath: Self.expand(own, home: home), directoryHint: .isDirectory)
  }

  /// A path as it was given, with a leading `~` for the home folder; a shell leaves that in `--option=~/file`.
  package func expand(_ path: String) -> String { Self.expand(path, home: home) }

  private static func expand(_ path: String, home: URL) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return (path as NSString).expandingTildeInPath }
    let below = path.dropFirst(2)
    return below.isEmpty ? home.path : home.appending(path: below).path
  }
}
