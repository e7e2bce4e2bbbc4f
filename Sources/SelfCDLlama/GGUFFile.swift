import CLlama
import Foundation

/// The header of a GGUF file, read with every length checked against the file.
///
/// libllama trusts much of what a header says and aborts the process on some of what it does not expect, so a file
/// is read here first. The reader touches the header only; tensor data is checked for its place, not its values.
///
/// Format: ggml's `docs/gguf.md`, versions 2 and 3, little-endian.
public struct GGUFFile: Sendable {
  /// The path that was given; of a split model the first part's.
  public let path: String
  /// The format's version, 2 or 3.
  public let version: UInt32
  /// Every key, such as `general.architecture`, with its value; long arrays as their lengths only.
  public let metadata: [String: GGUFValue]
  /// The tensors of this file, in the order of the header; a split model's other parts hold theirs.
  public let tensors: [GGUFTensor]
  /// Bytes of the whole file.
  public let fileSize: Int
  /// Keys whose values are 32-bit floats, for which libllama takes no other number.
  private let singlePrecisionKeys: Set<String>
  /// Where tensor data begins, in bytes from the start of the file.
  let dataStart: Int

  /// - Throws: ``ModelFileError``.
  public init(path: String) throws {
    self.path = path
    let data = try Self.map(path)
    fileSize = data.count
    var reader = GGUFReader(data: data, path: path)
    let magic = try reader.bytes(4)
    guard magic.elementsEqual("GGUF".utf8) else {
      throw ModelFileError.notGGUF(path: path, found: Array(magic))
    }
    version = try reader.integer(UInt32.self)
    guard version == 2 || version == 3 else {
      throw ModelFileError.unsupportedVersion(path: path, version: version)
    }
    let tensorCount = try reader.count("tensor count", elementSize: 24)
    let pairCount = try reader.count("metadata count", elementSize: 13)

    var metadata: [String: GGUFValue] = [:]
    var singlePrecisionKeys: Set<String> = []
    for _ in 0..<pairCount {
      let key = try reader.string()
      let type = try reader.integer(UInt32.self)
      if type == GGUF_TYPE_FLOAT32.rawValue { singlePrecisionKeys.insert(key) }
      guard
        metadata.updateValue(
          try reader.value(ofType: type, keepsStrings: key == "tokenizer.ggml.tokens"), forKey: key) == nil
      else {
        throw ModelFileError.malformed(path: path, reason: "the metadata key '\(key)' appears twice")
      }
    }
    self.metadata = metadata
    self.singlePrecisionKeys = singlePrecisionKeys

    var tensors: [GGUFTensor] = []
    for _ in 0..<tensorCount { tensors.append(try reader.tensor()) }
    self.tensors = tensors
    dataStart = try reader.alignedPosition(metadata)
    try Self.checkPlaces(of: tensors, dataStart: dataStart, fileSize: fileSize, path: path)
  }

  /// Memory-mapped, so that only the header's pages are read.
  private static func map(_ path: String) throws -> Data {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw ModelFileError.notFound(path: path)
    }
    guard !isDirectory.boolValue else { throw ModelFileError.isDirectory(path: path) }
    do {
      return try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    } catch {
      throw ModelFileError.unreadable(path: path, reason: error.localizedDescription)
    }
  }

  private static func checkPlaces(of tensors: [GGUFTensor], dataStart: Int, fileSize: Int, path: String)
    throws
  {
    for tensor in tensors {
      let (end, overflow) = dataStart.addingReportingOverflow(tensor.offset)
      let (last, overflow2) = end.addingReportingOverflow(tensor.byteCount)
      guard !overflow, !overflow2, last <= fileSize else {
        throw ModelFileError.truncated(
          path: path, needed: overflow || overflow2 ? nil : last, found: fileSize)
      }
    }
  }
}

extension GGUFFile {
  /// The name of the model's family in llama.cpp, such as `llama`; prefix of its hyperparameters' keys.
  public var architecture: String? { metadata["general.architecture"]?.string }
  /// What the model calls itself, for people; `nil` where the file does not say.
  public var modelName: String? { metadata["general.name"]?.string }
  /// The Jinja text of the model's chat template; `nil` for models without one, such as base models.
  public var chatTemplate: String? { metadata["tokenizer.chat_template"]?.string }
  /// Bytes of all tensors, the weights' share of memory.
  public var tensorBytes: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  /// Numbers in all tensors of this file: the model's parameters, of this part where it is split.
  public var parameterCount: Int { tensors.reduce(0) { $0 + $1.elementCount } }

  /// Whether a key's value is stored as a 32-bit float.
  func isSinglePrecision(_ key: String) -> Bool { singlePrecisionKeys.contains(key) }

  /// A value under the architecture's own prefix, such as `llama.block_count`.
  public func hyperparameter(_ name: String) -> GGUFValue? {
    architecture.flatMap { metadata["\($0).\(name)"] }
  }
}

/// A metadata value. Arrays keep their integers or strings only where the product reads them.
public enum GGUFValue: Sendable, Hashable {
  /// A whole number of any width; beyond `Int.max` it is cut to that.
  case integer(Int)
  /// A floating-point number.
  case number(Double)
  /// A truth value.
  case bool(Bool)
  /// A text.
  case string(String)
  /// An array of 32-bit integers, such as one value per layer; of 4096 at most.
  case integers([Int])
  /// Texts as bytes, which need not be UTF-8.
  case strings([Data])
  /// Any other array: its length alone.
  case array(count: Int)

  /// The text, where the value is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The whole number, where the value is one.
  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  /// One value per layer: an array as it is, a single number repeated.
  public func perLayer(_ layers: Int) -> [Int]? {
    switch self {
    case .integer(let value): Array(repeating: value, count: layers)
    case .integers(let values) where values.count >= layers: Array(values.prefix(layers))
    default: nil
    }
  }
}

/// A tensor as the header describes it.
public struct GGUFTensor: Sendable, Hashable {
  /// The tensor's name, such as `blk.0.attn_q.weight`.
  public let name: String
  /// Its size by dimension, the length of a row first, as ggml orders them.
  public let dimensions: [Int]
  /// ggml's name of the type, such as `q4_K`.
  public let type: String
  /// Numbers in it, the product of its dimensions.
  public let elementCount: Int
  /// Bytes that it takes in the file, in its own format.
  public let byteCount: Int
  /// From the start of the data section.
  public let offset: Int
}
