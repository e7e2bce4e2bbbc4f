import CSelfCDCommit

/// The version of the product, and the commit that it was built from.
package enum SelfCDVersion {
  /// The version of the release.
  package static let number = "0.1.0"

  /// Both, as `--version`, run records and reports show them: `0.1.0 (1a2b3c4d5e6f)`.
  package static let current = text(commit: String(cString: selfcd_commit()))

  /// - Parameter commit: What `Scripts/commit` printed for the build; empty where the build was not told.
  package static func text(commit: String) -> String {
    "\(number) (\(commit.isEmpty ? "commit unknown" : commit))"
  }
}
