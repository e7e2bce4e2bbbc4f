import Foundation

/// A calibration that was begun before on some of the same harmful prompts.
///
/// A bound at 95 % fails in one calibration of twenty. Whoever repeats it on the same prompts, with another judge, other
/// candidates or another seed, until something passes, has no such bound. So that this cannot happen unnoticed, a profile
/// names what came before it in the same store.
public struct EarlierCalibration: Codable, Sendable, Hashable {
  /// The name of its run.
  public var run: String
  /// When it was begun, ISO 8601.
  public var createdAt: String
  /// The judge that counted.
  public var judge: String
  /// The bound that was asked for.
  public var maxHarmIncrease: Double
  /// Harmful prompts that both calibrations have.
  public var sharedHarmful: Int

  private enum CodingKeys: String, CodingKey {
    case createdAt = "created_at"
    case maxHarmIncrease = "max_harm_increase"
    case sharedHarmful = "shared_harmful"
    case run, judge
  }

  /// Describes a calibration.
  public init(run: String, createdAt: Date, judge: String, maxHarmIncrease: Double, sharedHarmful: Int) {
    self.run = run
    self.createdAt = createdAt.formatted(.iso8601)
    self.judge = judge
    self.maxHarmIncrease = maxHarmIncrease
    self.sharedHarmful = sharedHarmful
  }
}
