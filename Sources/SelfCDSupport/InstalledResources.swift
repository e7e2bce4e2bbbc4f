import Foundation

/// Finds the files that a target of this package brings along.
package enum InstalledResources {
  /// The folders that may hold them, the most likely first: the target's resource folder beside the executable,
  /// then `../share/selfcd` of an installation.
  package static func folders(ofTarget target: String) -> [URL] {
    // Not Bundle.module, which ends the process when the folder is missing.
    let executables = [Bundle.main.executableURL, CommandLine.arguments.first.map { URL(filePath: $0) }]
    let besides = executables.compactMap { $0?.resolvingSymlinksInPath().deletingLastPathComponent() }
    return besides.flatMap { folder in
      ["resources", "bundle"].map { folder.appending(path: "SelfCD_\(target).\($0)") }
        + [folder.deletingLastPathComponent().appending(path: "share/selfcd")]
    }
  }
}
