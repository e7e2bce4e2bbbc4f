import CLlama
import Foundation

/// Reads a GGUF header front to back; every read is checked against the end of the file.
struct GGUFReader {
  private let data: Data
  private let path: String
  private(set) var position = 0

  init(data: Data, path: String) {
    self.data = data
    self.path = path
  }

  private var remaining: Int { data.count - position }

  private func malformed(_ reason: String) -> ModelFileError { .malformed(path: path, reason: reason) }

  mutating func bytes(_ count: Int) throws -> Data {
    guard count <= remaining else {
      throw ModelFileError.truncated(path: path, needed: nil, found: data.count)
    }
    let start = data.startIndex + position
    position += count
    return data[start..<(start + count)]
  }

  mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    let size = MemoryLayout<T>.size
    guard size <= remaining else {
      throw ModelFileError.truncated(path: path, needed: nil, found: data.count)
    }
    let value = data.withUnsafeBytes {
      T(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: T.self))
    }
    position += size
    return value
  }

  /// A count of elements that each take at least `elementSize` bytes; more than the file can hold is an error.
  mutating func count(_ what: String, elementSize: Int) throws -> Int {
    let value = try integer(UInt64.self)
    guard let count = Int(exactly: value), count <= remaining / elementSize else {
      // A file cut off inside the header looks the same: it promises more than follows.
      throw malformed(
        "its \(what) of \(value) is more than the file's \(data.count) bytes can hold; it may be cut off")
    }
    return count
  }

  mutating func string() throws -> String {
    let length = try count("text length", elementSize: 1)
    guard let text = String(validating: try bytes(length), as: UTF8.self) else {
      // Vocabularies hold arbitrary bytes; they are counted, never shown.
      return String(
        decoding: data[(data.startIndex + position - length)..<(data.startIndex + position)], as: UTF8.self)
    }
    return text
  }

  /// - Parameters:
  ///   - type: the format's number of the value's type, which stands before it.
  ///   - depth: 1 inside an array.
  ///   - keepsStrings: whether an array of texts is wanted, not only its length.
  mutating func value(ofType type: UInt32, depth: Int = 0, keepsStrings: Bool = false) throws -> GGUFValue {
    switch type {
    case 0: .integer(Int(try integer(UInt8.self)))
    case 1: .integer(Int(try integer(Int8.self)))
    case 2: .integer(Int(try integer(UInt16.self)))
    case 3: .integer(Int(try integer(Int16.self)))
    case 4: .integer(Int(try integer(UInt32.self)))
    case 5: .integer(Int(try integer(Int32.self)))
    case 6: .number(Double(Float(bitPattern: try integer(UInt32.self))))
    case 7: try bool()
    case 8: .string(try string())
    case 9 where depth == 0: try array(keepsStrings: keepsStrings)
    case 10: .integer(Int(clamping: try integer(UInt64.self)))
    case 11: .integer(Int(try integer(Int64.self)))
    case 12: .number(Double(bitPattern: try integer(UInt64.self)))
    default: throw malformed("a metadata value has the unknown type \(type)")
    }
  }

  private mutating func bool() throws -> GGUFValue {
    let byte = try integer(UInt8.self)
    guard byte <= 1 else { throw malformed("a truth value is \(byte)") }
    return .bool(byte == 1)
  }

  private static let elementSizes: [UInt32: Int] = [
    0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 10: 8, 11: 8, 12: 8,
  ]

  private mutating func array(keepsStrings: Bool) throws -> GGUFValue {
    let type = try integer(UInt32.self)
    guard let size = Self.elementSizes[type] else {
      throw malformed("an array has the unknown element type \(type)")
    }
    let count = try count("array length", elementSize: size)
    switch type {
    case 8 where keepsStrings:
      var values: [Data] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(try bytes(try self.count("text length", elementSize: 1))) }
      return .strings(values)
    case 8:
      for _ in 0..<count { _ = try bytes(try self.count("text length", elementSize: 1)) }
      return .array(count: count)
    case 4 where count <= 4096, 5 where count <= 4096:
      var values: [Int] = []
      for _ in 0..<count {
        guard case .integer(let value) = try value(ofType: type, depth: 1) else { break }
        values.append(value)
      }
      return .integers(values)
    default:
      _ = try bytes(count * size)
      return .array(count: count)
    }
  }

  mutating func tensor() throws -> GGUFTensor {
    let name = try string()
    guard name.utf8.count < Int(GGML_MAX_NAME) else {
      throw malformed("a tensor name has \(name.utf8.count) bytes, at most \(GGML_MAX_NAME - 1) are allowed")
    }
    let rank = try integer(UInt32.self)
    guard (1...UInt32(GGML_MAX_DIMS)).contains(rank) else {
      throw malformed("tensor '\(name)' has \(rank) dimensions")
    }
    var dimensions: [Int] = []
    var elements = 1
    for _ in 0..<rank {
      let value = try integer(UInt64.self)
      guard let dimension = Int(exactly: value), dimension > 0 else {
        throw malformed("tensor '\(name)' has the dimension \(value)")
      }
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw malformed("tensor '\(name)' is too large") }
      dimensions.append(dimension)
      elements = product
    }
    let type = try integer(UInt32.self)
    guard type < GGML_TYPE_COUNT.rawValue else {
      throw malformed("tensor '\(name)' has the unknown type \(type)")
    }
    let ggmlType = ggml_type(type)
    let block = Int(ggml_blck_size(ggmlType))
    let size = ggml_type_size(ggmlType)
    guard block > 0, size > 0, dimensions[0] % block == 0 else {
      throw malformed("tensor '\(name)' of type \(type) has rows of \(dimensions[0]) elements")
    }
    let offset = try integer(UInt64.self)
    guard let offset = Int(exactly: offset) else {
      throw malformed("tensor '\(name)' has the offset \(offset)")
    }
    let (bytes, overflow) = (elements / block).multipliedReportingOverflow(by: size)
    guard !overflow else { throw malformed("tensor '\(name)' is too large") }
    return GGUFTensor(
      name: name, dimensions: dimensions, type: String(cString: ggml_type_name(ggmlType)),
      elementCount: elements, byteCount: bytes, offset: offset)
  }

  /// Where tensor data begins: behind the header, at the file's alignment.
  func alignedPosition(_ metadata: [String: GGUFValue]) throws -> Int {
    let alignment = metadata["general.alignment"]?.integer ?? 32
    guard alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0 else {
      throw malformed("its alignment of \(alignment) is not a power of two")
    }
    return (position + alignment - 1) / alignment * alignment
  }
}
