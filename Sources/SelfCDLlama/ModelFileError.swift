/// What is wrong with a model file, and what to try.
public enum ModelFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no file at the path.
  case notFound(path: String)
  /// The path leads to a folder.
  case isDirectory(path: String)
  /// The system does not let the file be read, with its reason.
  case unreadable(path: String, reason: String)
  /// The file begins with other bytes than `GGUF`; `found` are its first four.
  case notGGUF(path: String, found: [UInt8])
  /// A version of the format that is not read here; 2 and 3 are.
  case unsupportedVersion(path: String, version: UInt32)
  /// The file ends before its contents do: the bytes it needs, where the header tells, and those it has.
  case truncated(path: String, needed: Int?, found: Int)
  /// The header contradicts itself or the format.
  case malformed(path: String, reason: String)
  /// A part of a split model is not beside the first one; `index` counts from 1.
  case missingSplit(path: String, index: Int, count: Int)
  /// A later part of a split model was given in place of the first; `index` counts from 1.
  case notFirstSplit(path: String, index: Int, count: Int)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .notFound(let path):
      "There is no file at \(path). Give the path of a GGUF file."
    case .isDirectory(let path):
      "\(path) is a folder. Give the path of a GGUF file, the first one if the model is split."
    case .unreadable(let path, let reason):
      "\(path) cannot be read: \(reason)"
    case .notGGUF(let path, let found):
      """
      \(path) is not a GGUF file: it begins with \(Self.describe(found)) instead of "GGUF". Convert the model with \
      llama.cpp's convert_hf_to_gguf.py, or download a GGUF version.
      """
    case .unsupportedVersion(let path, let version):
      "\(path) says GGUF version \(version), but versions 2 and 3 are read here. Convert the model again."
    case .truncated(let path, let needed, let found):
      """
      \(path) is cut off: it has \(found) bytes\(needed.map { ", but its tensors end at byte \($0)" } ?? ""). \
      Download it again.
      """
    case .malformed(let path, let reason):
      "\(path) is damaged: \(reason). Download or convert it again."
    case .missingSplit(let path, let index, let count):
      "The model has \(count) parts, but part \(index), \(path), is missing. Put all parts into one folder."
    case .notFirstSplit(let path, let index, let count):
      "\(path) is part \(index) of \(count). Give the path of part 1; the others are found beside it."
    }
  }

  private static func describe(_ bytes: [UInt8]) -> String {
    bytes.map { "0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
