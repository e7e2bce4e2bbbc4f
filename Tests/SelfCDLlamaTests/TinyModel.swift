import Foundation
import Testing

/// Small random models of every family, written as GGUF from the recipe that `make_flow_golden.py` used, with what
/// PyTorch's autograd computed on the same weights.
struct FlowFixture: Decodable {
  struct Tensor: Decodable {
    let name: String
    /// Rows, columns.
    let shape: [Int]
    let scale: Float
    let offset: Float
  }

  struct Pair: Decodable {
    let key: String
    let value: Value

    enum Value {
      case integer(UInt32)
      case number(Float)
      case text(String)
    }

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      key = try container.decode(String.self)
      switch try container.decode(String.self) {
      case "u32": value = .integer(try container.decode(UInt32.self))
      case "f32": value = .number(try container.decode(Float.self))
      default: value = .text(try container.decode(String.self))
      }
    }
  }

  struct Golden: Decodable {
    let tokens: [Int32]
    let target: Int32
    let loss: Double
    let logits: [Float]
    let heads: Int
    /// layers × (heads · positions).
    let attention: [[Float]]
    let gradient: [[Float]]
  }

  struct Model: Decodable, CustomTestStringConvertible {
    let name: String
    let architecture: String
    let metadata: [Pair]
    let tensors: [Tensor]
    let golden: Golden

    var testDescription: String { name }
  }

  let vocabulary: Int
  let models: [Model]
  let organism: [Golden]

  static let shared: FlowFixture? = {
    guard let url = Bundle.module.url(forResource: "flow_golden", withExtension: "json"),
      let data = try? Data(contentsOf: url)
    else { return nil }
    return try? JSONDecoder().decode(FlowFixture.self, from: data)
  }()
}

/// Writes a recipe as a GGUF file in float32.
struct TinyModel {
  var model: FlowFixture.Model
  let vocabulary: Int
  /// Tensors to leave out or add, to see what is refused.
  var leavesOut: Set<String> = []
  var adds: [FlowFixture.Tensor] = []
  var metadata: [(key: String, value: FlowFixture.Pair.Value)] = []
  var architecture: String?

  init(_ model: FlowFixture.Model, vocabulary: Int) {
    self.model = model
    self.vocabulary = vocabulary
  }

  func data() -> Data {
    let tensors = model.tensors.filter { !leavesOut.contains($0.name) } + adds
    var pairs = Data()
    var count = 0
    func pair(_ key: String, _ type: UInt32, _ value: (inout Data) -> Void) {
      pairs.append(string: key)
      pairs.append(integer: type)
      value(&pairs)
      count += 1
    }
    let architecture = architecture ?? model.architecture
    pair("general.architecture", 8) { $0.append(string: architecture) }
    let overridden = Set(metadata.map(\.key))
    let all = model.metadata.filter { !overridden.contains($0.key) }.map { ($0.key, $0.value) } + metadata
    for (key, value) in all {
      let key = key.replacingOccurrences(of: model.architecture + ".", with: architecture + ".")
      switch value {
      case .integer(let value): pair(key, 4) { $0.append(integer: value) }
      case .number(let value): pair(key, 6) { $0.append(integer: value.bitPattern) }
      case .text(let value): pair(key, 8) { $0.append(string: value) }
      }
    }
    pair("tokenizer.ggml.model", 8) { $0.append(string: "gpt2") }
    pair("tokenizer.ggml.pre", 8) { $0.append(string: "gpt-2") }
    let tokens = Self.byteTokens() + ["he", "<|end|>"]
    pair("tokenizer.ggml.tokens", 9) { data in
      data.append(integer: UInt32(8))
      data.append(integer: UInt64(tokens.count))
      for token in tokens { data.append(string: token) }
    }
    pair("tokenizer.ggml.token_type", 9) { data in
      data.append(integer: UInt32(5))
      data.append(integer: UInt64(tokens.count))
      for token in tokens { data.append(integer: Int32(token == "<|end|>" ? 3 : 1)) }
    }
    pair("tokenizer.ggml.merges", 9) { data in
      data.append(integer: UInt32(8))
      data.append(integer: UInt64(1))
      data.append(string: "h e")
    }
    pair("tokenizer.ggml.eos_token_id", 4) { $0.append(integer: UInt32(tokens.count - 1)) }

    var header = Data("GGUF".utf8)
    header.append(integer: UInt32(3))
    header.append(integer: UInt64(tensors.count))
    header.append(integer: UInt64(count))
    header += pairs
    var body = Data()
    for tensor in tensors {
      header.append(string: tensor.name)
      header.append(integer: UInt32(tensor.shape.count))
      for dimension in tensor.shape.reversed() { header.append(integer: UInt64(dimension)) }
      header.append(integer: UInt32(0))
      header.append(integer: UInt64(body.count))
      for value in Self.values(tensor) { body.append(integer: value.bitPattern) }
      body.append(Data(count: (32 - body.count % 32) % 32))
    }
    header.append(Data(count: (32 - header.count % 32) % 32))
    return header + body
  }

  /// offset + scale · u, u in −1 ..< 1 by SplitMix64 from the name and the place.
  static func values(_ tensor: FlowFixture.Tensor) -> [Float] {
    var seed: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in tensor.name.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return (1...UInt64(tensor.shape.reduce(1, *))).map { place in
      var state = seed &+ 0x9E37_79B9_7F4A_7C15 &* place
      state = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      state = (state ^ (state >> 27)) &* 0x94D0_49BB_1331_11EB
      state ^= state >> 31
      let unit = Float(state >> 40) * 0x1p-23 - 1
      return tensor.offset + tensor.scale * unit
    }
  }

  /// GPT-2's names of the 256 bytes.
  private static func byteTokens() -> [String] {
    var next: UInt32 = 256
    return (0...255 as ClosedRange<UInt32>).map { byte in
      let isPrintable =
        (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
      let value = isPrintable ? byte : next
      if !isPrintable { next += 1 }
      return Unicode.Scalar(value).map { String(Character($0)) } ?? "?"
    }
  }
}

extension Data {
  fileprivate mutating func append(integer: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
  }

  fileprivate mutating func append(string: String) {
    append(integer: UInt64(string.utf8.count))
    append(contentsOf: string.utf8)
  }
}
