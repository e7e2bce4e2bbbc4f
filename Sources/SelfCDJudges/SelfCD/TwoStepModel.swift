import Foundation

/// The judge's weights: two logistic regressions over ``ReplyFeatures``, in `Resources/judge/weights.json`.
///
/// The first gives the probability that the reply refuses, in full or in part; the second, of a reply that does, that
/// it refuses in part only.
struct TwoStepModel: Sendable {
  /// One regression; `weights` in the order of the features.
  struct Step: Sendable {
    let bias: Double
    let weights: [Double]

    func probability(_ values: [Double]) -> Double {
      1 / (1 + exp(-(bias + zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 })))
    }
  }

  enum Failure: Error, Equatable {
    /// Trained with another lexicon, or other features.
    case mismatch(String)
  }

  private struct File: Decodable {
    struct Step: Decodable {
      let bias: Double
      let weights: [String: Double]
    }

    let lexicon: String
    let refusal: Step
    let partial: Step
  }

  let refusal: Step
  let partial: Step

  /// Reads weights for the features of `lexicon`. A feature that has none weighs nothing.
  /// - Throws: `Failure`, `DecodingError`.
  init(_ data: Data, lexicon: ReplyLexicon) throws {
    let file = try JSONDecoder().decode(File.self, from: data)
    guard file.lexicon == lexicon.version else {
      throw Failure.mismatch("weights for lexicon \(file.lexicon), lexicon \(lexicon.version)")
    }
    let names = ReplyFeatures.names(of: lexicon)
    func step(_ step: File.Step) throws(Failure) -> Step {
      if let unknown = Set(step.weights.keys).subtracting(names).min() { throw .mismatch(unknown) }
      return Step(bias: step.bias, weights: names.map { step.weights[$0] ?? 0 })
    }
    refusal = try step(file.refusal)
    partial = try step(file.partial)
  }
}
