import Foundation

/// Models split over several files, `NAME-00001-of-00003.gguf` and so on.
enum SplitFiles {
  /// The paths of parts 2 … n; empty for a model in one file.
  ///
  /// - Throws: ``ModelFileError``.
  static func otherParts(of first: GGUFFile) throws -> [String] {
    let count = first.metadata["split.count"]?.integer ?? 1
    guard count > 1 else { return [] }
    let number = first.metadata["split.no"]?.integer ?? 0
    guard (0..<count).contains(number) else {
      throw ModelFileError.malformed(path: first.path, reason: "it says it is part \(number) of \(count)")
    }
    let index = number + 1
    guard index == 1 else { throw ModelFileError.notFirstSplit(path: first.path, index: index, count: count) }
    let suffix = name(part: 1, of: count)
    guard count <= 99_999, first.path.hasSuffix(suffix) else {
      throw ModelFileError.malformed(
        path: first.path, reason: "it is part 1 of \(count), but its name does not end with \(suffix)")
    }
    let stem = String(first.path.dropLast(suffix.count))
    return try (2...count).map { index in
      let path = stem + name(part: index, of: count)
      guard FileManager.default.fileExists(atPath: path) else {
        throw ModelFileError.missingSplit(path: path, index: index, count: count)
      }
      return path
    }
  }

  private static func name(part: Int, of count: Int) -> String {
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "-\(digits(part))-of-\(digits(count)).gguf"
  }
}

extension GGUFFile {
  /// All files of the model in order: this one alone, or this and the other parts where it is the first one of a split
  /// model, with their headers read and checked.
  ///
  /// - Throws: ``ModelFileError`` where a part is missing or damaged, or this one is not the first.
  public func parts() throws -> [GGUFFile] {
    try [self] + SplitFiles.otherParts(of: self).map { try GGUFFile(path: $0) }
  }
}
