import CLlama
import Foundation

/// One layer's weights in float32, each matrix also transposed, in memory that ggml computes on.
///
/// ggml multiplies along the contiguous dimension of both operands, so W x wants W and Wᵀ y wants Wᵀ laid out row by
/// row.
final class LayerWeights {
  private let memory: UnsafeMutableRawPointer
  private let buffer: ggml_backend_buffer_t
  private var places: [LayerPart: (shape: [Int], plain: Int, transposed: Int?)] = [:]

  private static let alignment = 64

  /// Bytes of a layer of this shape.
  static func bytes(_ model: FlowArchitecture) -> Int {
    LayerPart.allCases.reduce(0) { sum, part in
      let size = padded(part.shape(model).reduce(1, *) * 4)
      return sum + (part.isMatrix ? 2 : 1) * size
    }
  }

  private static func padded(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

  /// - Parameter transposing: whether the backward pass is wanted; the forward one needs no Wᵀ.
  /// - Throws: ``InspectionError``.
  init(layer: Int, of model: FlowArchitecture, from weights: WeightFile, transposing: Bool) throws {
    let size = Self.bytes(model)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.alignment)
    guard let buffer = ggml_backend_cpu_buffer_from_ptr(memory, size) else {
      memory.deallocate()
      throw InspectionError.failed(reason: "ggml made no buffer of \(size) bytes")
    }
    self.memory = memory
    self.buffer = buffer
    var offset = 0
    for part in LayerPart.allCases {
      let name = part.name(layer)
      guard let shape = weights.dimensions(name) else { continue }
      let count = shape.reduce(1, *)
      let plain = (memory + offset).bindMemory(to: Float.self, capacity: count)
      guard weights.read(name, rows: 0..<(count / shape[0]), into: plain) else {
        throw InspectionError.failed(reason: "tensor \(name) could not be read")
      }
      var place = (shape: shape, plain: offset, transposed: Int?.none)
      offset += Self.padded(count * 4)
      if part.isMatrix, transposing {
        let transposed = (memory + offset).bindMemory(to: Float.self, capacity: count)
        Self.transpose(plain, rows: shape[1], columns: shape[0], into: transposed)
        place.transposed = offset
        offset += Self.padded(count * 4)
      }
      places[part] = place
    }
  }

  deinit {
    ggml_backend_buffer_free(buffer)
    memory.deallocate()
  }

  /// The tensor in a graph's context, its data here; `nil` where the model has none.
  func tensor(_ part: LayerPart, in context: OpaquePointer) -> Tensor? {
    guard let place = places[part], let tensor = Self.new(place.shape, in: context) else { return nil }
    ggml_backend_tensor_alloc(buffer, tensor, memory + place.plain)
    return tensor
  }

  /// The transposed matrix in a graph's context.
  func transposed(_ part: LayerPart, in context: OpaquePointer) -> Tensor? {
    guard let place = places[part], let offset = place.transposed,
      let tensor = Self.new(place.shape.reversed(), in: context)
    else { return nil }
    ggml_backend_tensor_alloc(buffer, tensor, memory + offset)
    return tensor
  }

  private static func new(_ shape: [Int], in context: OpaquePointer) -> Tensor? {
    ggml_new_tensor_2d(context, GGML_TYPE_F32, Int64(shape[0]), Int64(shape.count > 1 ? shape[1] : 1))
  }

  /// In blocks that fit the cache.
  private static func transpose(
    _ source: UnsafePointer<Float>, rows: Int, columns: Int, into target: UnsafeMutablePointer<Float>
  ) {
    let block = 32
    for rowStart in stride(from: 0, to: rows, by: block) {
      let rowEnd = min(rowStart + block, rows)
      for columnStart in stride(from: 0, to: columns, by: block) {
        let columnEnd = min(columnStart + block, columns)
        var column = columnStart
        while column < columnEnd {
          var row = rowStart
          while row < rowEnd {
            target[column &* rows &+ row] = source[row &* columns &+ column]
            row &+= 1
          }
          column &+= 1
        }
      }
    }
  }
}
