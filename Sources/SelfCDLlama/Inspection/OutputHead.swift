import CLlama
import Foundation
import SelfCD

/// The last norm and the vocabulary: logits of one position, and the gradient of a token's loss on the way back.
///
/// The vocabulary's matrix is by far the largest of a small model and is used for one row only, so it is dequantised
/// a block of rows at a time and never held.
struct OutputHead {
  let model: FlowArchitecture
  let weights: WeightFile

  private static let blockRows = 512

  /// Logits of a last hidden state, `[vocabulary]`.
  ///
  /// - Parameter state: the residual stream behind the last layer at the last position, `[D]`.
  func logits(of state: [Float]) throws -> [Float] {
    let normed = try self.normed(state)
    var logits = [Float](repeating: 0, count: model.vocabulary)
    if let bias = model.outputBias {
      guard let values = weights.values(bias), values.count == logits.count else { throw unreadable(bias) }
      logits = values
    }
    try forEachRow { row, index in
      normed.withUnsafeBufferPointer { logits[index] += Self.dot(row, $0.baseAddress, model.width) }
    }
    if model.logitCap > 0 {
      let cap = model.logitCap
      for index in logits.indices { logits[index] = cap * tanh(logits[index] / cap) }
    }
    guard logits.allSatisfy(\.isFinite) else { throw InspectionError.notFinite(what: "logits") }
    return logits
  }

  /// The loss of a token and its gradient with respect to the last hidden state.
  ///
  /// - Returns: L = −log softmax(logits)[target] in nats, and ∂L/∂state, `[D]`.
  func loss(of target: Int, logits: [Float], state: [Float]) throws -> (loss: Double, gradient: [Float]) {
    let logSum = Softmax.logSumExp(logits)
    var slope = logits.map { Float(exp(Double($0) - logSum)) }
    slope[target] -= 1
    if model.logitCap > 0 {
      for index in slope.indices {
        let tanh = logits[index] / model.logitCap
        slope[index] *= 1 - tanh * tanh
      }
    }
    var normed = [Double](repeating: 0, count: model.width)
    // Sums of thousands of terms of both signs: added up in float64.
    try forEachRow { row, index in
      let weight = Double(slope[index])
      normed.withUnsafeMutableBufferPointer { sum in
        for column in 0..<model.width { sum[column] += weight * Double(row[column]) }
      }
    }
    return (logSum - Double(logits[target]), try normedBack(normed, state))
  }

  private func norm() throws -> [Float] {
    guard let norm = weights.values("output_norm.weight"), norm.count == model.width else {
      throw unreadable("output_norm.weight")
    }
    return norm
  }

  private func inverseRoot(_ state: [Float]) -> Double {
    let square = state.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(model.width)
    return 1 / (square + Double(model.epsilon)).squareRoot()
  }

  private func normed(_ state: [Float]) throws -> [Float] {
    let factor = inverseRoot(state)
    return zip(state, try norm()).map { Float(Double($0) * factor) * $1 }
  }

  /// y = w ⊙ x r, r = (mean x² + ε)^−½: ∂L/∂x = r (g − x r² mean(g ⊙ x)), g = w ⊙ ∂L/∂y.
  private func normedBack(_ gradient: [Double], _ state: [Float]) throws -> [Float] {
    let factor = inverseRoot(state)
    let scaled = zip(gradient, try norm()).map { $0 * Double($1) }
    let mean = zip(scaled, state).reduce(0.0) { $0 + $1.0 * Double($1.1) } / Double(model.width)
    return zip(scaled, state).map { Float(factor * ($0 - Double($1) * factor * factor * mean)) }
  }

  private func forEachRow(_ body: (UnsafePointer<Float>, Int) -> Void) throws {
    let rows = min(Self.blockRows, model.vocabulary)
    let block = UnsafeMutablePointer<Float>.allocate(capacity: rows * model.width)
    defer { block.deallocate() }
    for start in stride(from: 0, to: model.vocabulary, by: rows) {
      let end = min(start + rows, model.vocabulary)
      guard weights.read(model.outputName, rows: start..<end, into: block) else {
        throw unreadable(model.outputName)
      }
      for index in start..<end { body(block + (index - start) * model.width, index) }
    }
  }

  private func unreadable(_ name: String) -> InspectionError {
    .failed(reason: "tensor \(name) could not be read")
  }

  /// Eight sums side by side, which the compiler may not make of one.
  private static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, _ count: Int) -> Float {
    guard let b else { return 0 }
    var sums = SIMD8<Float>()
    var index = 0
    while index + 8 <= count {
      let x = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Float>.self)
      let y = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Float>.self)
      sums += x * y
      index += 8
    }
    var sum = sums.sum()
    while index < count {
      sum += a[index] * b[index]
      index += 1
    }
    return sum
  }
}
