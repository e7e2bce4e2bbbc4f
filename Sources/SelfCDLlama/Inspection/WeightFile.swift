import CLlama
import Foundation

/// The tensors of a model's files by name, read and dequantised to float32 one at a time.
///
/// libllama gives no access to its own tensors; the files are mapped, so what is read twice is in memory once.
struct WeightFile {
  private struct Place {
    let tensor: GGUFTensor
    let type: ggml_type
    let data: Data
    let start: Int
  }

  private let places: [String: Place]
  private let differences: [String: [LowRankDifference]]

  /// - Parameters:
  ///   - first: the model's file, or its first part.
  ///   - loras: adapters whose differences are added to what is read.
  /// - Throws: ``ModelFileError``; ``InspectionError`` for an adapter of the embeddings.
  init(_ first: GGUFFile, adding loras: [AppliedAdapters.LoRA] = []) throws {
    var places: [String: Place] = [:]
    for file in try first.parts() {
      let data: Data
      do {
        data = try Data(contentsOf: URL(filePath: file.path), options: .alwaysMapped)
      } catch {
        throw ModelFileError.unreadable(path: file.path, reason: error.localizedDescription)
      }
      for tensor in file.tensors {
        let start = file.dataStart + tensor.offset
        guard let type = Self.types[tensor.type], start + tensor.byteCount <= data.count else {
          throw ModelFileError.truncated(path: file.path, needed: start + tensor.byteCount, found: data.count)
        }
        places[tensor.name] = Place(tensor: tensor, type: type, data: data, start: start)
      }
    }
    self.places = places
    differences = try LowRankDifference.all(of: loras)
  }

  private static let types: [String: ggml_type] = Dictionary(
    (0..<GGML_TYPE_COUNT.rawValue).compactMap { value in
      ggml_type_name(ggml_type(value)).map { (String(cString: $0), ggml_type(value)) }
    }, uniquingKeysWith: { first, _ in first })

  var names: some Sequence<String> { places.keys }

  /// A tensor's shape, the contiguous dimension first; `nil` where there is none of that name.
  func dimensions(_ name: String) -> [Int]? { places[name]?.tensor.dimensions }

  /// Whether the tensor's numbers can be turned into float32.
  func isReadable(_ name: String) -> Bool {
    guard let place = places[name] else { return false }
    return place.type == GGML_TYPE_F32 || ggml_get_type_traits(place.type)?.pointee.to_float != nil
  }

  /// Writes rows `rows` of a tensor, in float32, to `target`, which has room for them.
  ///
  /// - Returns: `false` when there is no such tensor, or none of its format can be read.
  @discardableResult
  func read(_ name: String, rows: Range<Int>, into target: UnsafeMutablePointer<Float>) -> Bool {
    guard let place = places[name] else { return false }
    let columns = place.tensor.dimensions[0]
    let rowCount = place.tensor.elementCount / columns
    guard rows.lowerBound >= 0, rows.upperBound <= rowCount else { return false }
    let rowBytes = place.tensor.byteCount / rowCount
    return place.data.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      let source = base + place.start + rows.lowerBound * rowBytes
      if place.type == GGML_TYPE_F32 {
        memcpy(target, source, rows.count * rowBytes)
      } else {
        guard let convert = ggml_get_type_traits(place.type)?.pointee.to_float else { return false }
        convert(source, target, Int64(rows.count * columns))
      }
      for difference in differences[name] ?? [] { difference.add(rows, to: target, columns: columns) }
      return true
    }
  }

  /// A whole tensor in float32.
  func values(_ name: String) -> [Float]? {
    guard let place = places[name] else { return nil }
    let count = place.tensor.elementCount
    let rows = count / place.tensor.dimensions[0]
    var isRead = false
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      isRead = read(name, rows: 0..<rows, into: base)
      initialized = isRead ? count : 0
    }
    return isRead ? values : nil
  }
}
