/// How the next token is drawn from the combined scores.
///
/// Filters apply in the order of Hugging Face transformers' `generate`: temperature, top-k, top-p, min-p, typical-p.
/// Top-nσ comes before all of them: temperature does not change which tokens it keeps, and it looks at the whole row.
public struct SamplingParameters: Codable, Sendable, Hashable {
  /// 0 is greedy decoding, the default; greater values flatten the distribution.
  public var temperature: Float
  /// Keeps the k best tokens; `nil` keeps all.
  public var topK: Int?
  /// Keeps the smallest set of best tokens whose probability reaches this, in (0, 1]; `nil` keeps all.
  public var topP: Float?
  /// Keeps tokens with at least this share of the best token's probability, in 0 … 1; `nil` keeps all.
  public var minP: Float?
  /// Keeps the tokens whose surprise is nearest to the distribution's entropy, up to this probability, in (0, 1];
  /// `nil` keeps all. Locally typical sampling (Meister et al., 2022, arXiv 2202.00666); it can drop the best token.
  public var typicalP: Float?
  /// Keeps tokens whose score is within this many standard deviations of the best one's, greater than 0; `nil` keeps all.
  /// Top-nσ (Tang et al., 2024, arXiv 2411.07641).
  public var topNSigma: Float?
  /// The same seed gives the same draws.
  public var seed: UInt64

  /// Makes parameters of what is named; without any of it, greedy decoding. ``validate()`` checks the ranges.
  public init(
    temperature: Float = 0, topK: Int? = nil, topP: Float? = nil, minP: Float? = nil,
    typicalP: Float? = nil, topNSigma: Float? = nil, seed: UInt64 = 0
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.typicalP = typicalP
    self.topNSigma = topNSigma
    self.seed = seed
  }

  /// Temperature 0: always the best token, so that the seed has no effect.
  public static let greedy = SamplingParameters()

  /// Whether the best token is always taken, without a draw; filters and seed are then ignored.
  public var isGreedy: Bool { temperature == 0 }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public func validate() throws(StrategyError) {
    guard temperature.isFinite, temperature >= 0, temperature <= 100 else {
      throw .outOfRange(parameter: "temperature", value: "\(temperature)", allowed: "a number from 0 to 100")
    }
    if let topK, topK < 1 {
      throw .outOfRange(parameter: "top-k", value: "\(topK)", allowed: "1 or more")
    }
    if let topP, !(topP > 0 && topP <= 1) {
      throw .outOfRange(parameter: "top-p", value: "\(topP)", allowed: "greater than 0 and at most 1")
    }
    if let minP, !(minP >= 0 && minP <= 1) {
      throw .outOfRange(parameter: "min-p", value: "\(minP)", allowed: "a number from 0 to 1")
    }
    if let typicalP, !(typicalP > 0 && typicalP <= 1) {
      throw .outOfRange(
        parameter: "typical-p", value: "\(typicalP)", allowed: "greater than 0 and at most 1")
    }
    if let topNSigma, !(topNSigma > 0 && topNSigma.isFinite) {
      throw .outOfRange(parameter: "top-n-sigma", value: "\(topNSigma)", allowed: "a number greater than 0")
    }
  }
}
