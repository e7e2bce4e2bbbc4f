import Crypto
import Foundation
import SelfCD
import SelfCDData
import SelfCDSupport

/// Everything that the replies of a tuning and its result follow from, but the time that it is given.
///
/// A tuning that is started again with the same inputs is the same tuning and goes on where it stopped. That also keeps
/// anyone from repeating it on the same prompts until something passes.
public struct TuningInputs: Encodable, Sendable {
  /// SHA-256 of the model with its adapters.
  public var model: String
  /// The prompts to calibrate on.
  public var calibration: [CalibrationProfile.Source]
  /// The prompts to confirm on.
  public var confirmation: [CalibrationProfile.Source]
  /// How they were parted.
  public var split: CalibrationProfile.Split
  /// What is promised, and how it is tested.
  public var settings: CalibrationSettings
  /// How replies are generated.
  public var options: GenerationOptions
  /// The system prompt of prompts that have none of their own.
  public var system: String?
  /// The judges; the first one counts.
  public var judges: [String]
  /// The reference, the condition that is measured beside it, and the candidates in the order of the test.
  public var conditions: [StrategySetting]

  /// Collects the inputs.
  /// - Parameters:
  ///   - modelSHA256: SHA-256 of the model with its adapters.
  ///   - split: The prompts.
  ///   - settings: What is promised, and how it is tested.
  ///   - options: How replies are generated.
  ///   - system: The system prompt of prompts that have none of their own.
  ///   - judges: The names of the judges; the first one counts.
  ///   - conditions: The reference, the condition beside it, and the candidates.
  public init(
    modelSHA256: String, split: CalibrationSplit, settings: CalibrationSettings, options: GenerationOptions,
    system: String?, judges: [String], conditions: [EvaluationCondition]
  ) {
    model = modelSHA256
    calibration = split.calibration.map(CalibrationProfile.Source.init)
    confirmation = split.confirmation.map(CalibrationProfile.Source.init)
    self.split = split.origin
    self.settings = settings
    self.options = options
    self.system = system
    self.judges = judges
    self.conditions = conditions.map { StrategySetting($0.strategy) }
  }

  /// SHA-256 of the inputs, lower-case hexadecimal.
  /// - Throws: `EncodingError`.
  public func fingerprint() throws -> String {
    SHA256.hash(data: Data(try CanonicalJSON.text(self).utf8)).hexadecimal
  }
}
