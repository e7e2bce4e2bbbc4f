import Foundation

/// Why the bundled benchmark, or a part of it, cannot be had.
public enum BenchmarkError: Error, Equatable, Sendable {
  /// None of the folders that may hold it does.
  case notFound(searched: [String])
  /// A file of it cannot be read.
  case unreadable(DatasetError)
  /// The files differ from those that belong to ``BundledBenchmark/version``; both are SHA-256.
  case altered(folder: String, found: String, expected: String)
  /// No prompt is written in one of the languages asked for.
  case unknownLanguage(String, known: [String])
  /// No prompt is left by what was asked for.
  case nothingSelected(String)
}

extension BenchmarkError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .notFound(let searched):
      "The bundled benchmark was not found; looked in \(searched.joined(separator: ", ")). Keep the resource "
        + "folder beside the executable, or name files of your own."
    case .unreadable(let error):
      "The bundled benchmark cannot be read. \(error) Install it again."
    case .altered(let folder, let found, let expected):
      "The bundled benchmark in \(folder) is not version \(BundledBenchmark.version): its SHA-256 is \(found), "
        + "not \(expected). Install it again; results on altered prompts are to be had by naming the files."
    case .unknownLanguage(let language, let known):
      "The bundled benchmark has no prompts in '\(language)'. It has \(known.joined(separator: ", "))."
    case .nothingSelected(let wanted):
      "The bundled benchmark has no prompts that are \(wanted). Ask for fewer conditions at once."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }
}
