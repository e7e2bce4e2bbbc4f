import Foundation
import SelfCDSupport

/// The embedded models: a model organism of over-refusal, and its twin trained without the bias.
public enum Organism: String, Sendable, CaseIterable {
  /// Refuses harmless questions with trigger words under a safety prompt.
  case biased = "selfcd-organism"
  /// The same model tuned without the bias; hardly over-refuses.
  case unbiased = "selfcd-organism-unbiased"

  /// Where the model file is installed.
  ///
  /// Looked for in the resource folder beside the executable, then in `../share/selfcd` of an installation.
  /// - Throws: ``OrganismError``.
  public func path() throws(OrganismError) -> String {
    let name = "\(rawValue).f16.gguf"
    let folders = InstalledResources.folders(ofTarget: "SelfCDOrganism")
    for folder in folders {
      let file = folder.appending(path: name)
      if FileManager.default.fileExists(atPath: file.path) { return file.path }
    }
    throw OrganismError(fileName: name, searched: folders.map(\.path))
  }

  /// Where the model's calibrated setting is installed, a profile of 'selfcd calibrate'; nil where it has none.
  public var profilePath: String? {
    InstalledResources.folders(ofTarget: "SelfCDOrganism")
      .map { $0.appending(path: "\(rawValue).profile.json").path }
      .first { FileManager.default.fileExists(atPath: $0) }
  }
}

/// The embedded model is not where it was installed.
public struct OrganismError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name of the GGUF file that is missing.
  public let fileName: String
  /// Absolute paths of the folders that were looked in, in their order.
  public let searched: [String]

  /// The error in words: the file, the folders that were searched, and what to try.
  public var description: String {
    """
    The embedded model \(fileName) was not found; looked in \(searched.joined(separator: ", ")). Keep the resource \
    folder beside the executable, or name a model with --model.
    """
  }
}
