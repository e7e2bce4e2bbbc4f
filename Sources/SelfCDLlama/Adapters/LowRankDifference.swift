import Foundation

/// scale · alpha / rank · B A of one matrix, in float32, for computations on the file's own weights.
struct LowRankDifference {
  /// rank × input.
  private let a: [Float]
  /// output × rank, the scale in it.
  private let b: [Float]
  private let rank: Int

  /// Every adapter's differences, by the name of the matrix.
  /// - Throws: ``InspectionError/unverifiedArchitecture(name:reason:)``, ``ModelFileError``.
  static func all(of loras: [AppliedAdapters.LoRA]) throws -> [String: [LowRankDifference]] {
    var differences: [String: [LowRankDifference]] = [:]
    for lora in loras {
      let weights = try WeightFile(lora.file.file)
      for (name, pair) in lora.file.pairs {
        guard !name.hasSuffix("token_embd.weight"), pair.a.dimensions.count <= 2 else {
          throw InspectionError.unverifiedArchitecture(
            name: lora.file.file.architecture ?? "unknown",
            reason: "the adapter \(lora.file.file.path) changes '\(name)'")
        }
        guard let a = weights.values(pair.a.name), let b = weights.values(pair.b.name) else {
          throw ModelFileError.malformed(
            path: lora.file.file.path, reason: "the factors of '\(name)' cannot be read")
        }
        let rank = pair.b.dimensions[0]
        // As llama.cpp has it: without alpha the scale alone.
        let scale = lora.file.alpha == 0 ? lora.scale : lora.scale * lora.file.alpha / Float(rank)
        differences[name, default: []].append(
          LowRankDifference(a: a, b: b.map { $0 * scale }, rank: rank))
      }
    }
    return differences
  }

  /// Adds rows of the difference to rows of the matrix.
  func add(_ rows: Range<Int>, to target: UnsafeMutablePointer<Float>, columns: Int) {
    a.withUnsafeBufferPointer { a in
      for (index, row) in rows.enumerated() {
        let line = target + index * columns
        for factor in 0..<rank {
          let weight = b[row * rank + factor]
          let source = factor * columns
          var column = 0
          while column < columns {
            line[column] += weight * a[source &+ column]
            column &+= 1
          }
        }
      }
    }
  }
}
