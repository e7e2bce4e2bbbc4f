import Crypto
import Foundation
import SelfCD
import SelfCDData
import SelfCDJudges
import SelfCDStatistics

/// A strategy with the bound it was calibrated to, for one model: what `--profile` reads.
///
/// The guarantee is relative to the judge, and to prompts exchangeable with the calibration set. A profile whose
/// ``fallback`` is set holds the reference strategy itself, which loses nothing by definition.
public struct CalibrationProfile: Codable, Sendable, Hashable {
  /// The format that this program writes, and the newest that it reads.
  public static let currentFormat = 2

  /// The weights that were calibrated.
  public struct Model: Codable, Sendable, Hashable {
    /// What the file calls itself.
    public var name: String
    /// SHA-256 of the file, lower-case hexadecimal; of a split model, its first file; with adapters, of file and
    /// adapters together (``ModelIdentity``).
    public var sha256: String
    /// The adapters that it was calibrated with; nil for none.
    public var adapters: [ModelIdentity.Adapter]?

    /// Describes a model.
    public init(name: String, sha256: String, adapters: [ModelIdentity.Adapter]? = nil) {
      self.name = name
      self.sha256 = sha256
      self.adapters = adapters
    }
  }

  /// Who judged.
  public struct Judge: Codable, Sendable, Hashable {
    /// The judge's name.
    public var name: String
    /// The judge's version.
    public var version: String

    /// Describes a judge.
    public init(name: String, version: String) {
      self.name = name
      self.version = version
    }
  }

  /// How replies were generated.
  public struct Generation: Codable, Sendable, Hashable {
    /// Most tokens of a reply.
    public var maxTokens: Int
    /// 0 for greedy decoding.
    public var temperature: Double
    /// Where contrast begins on reasoning models.
    public var contrastFrom: String
    /// The caller's own system prompt; nil for none.
    public var system: String?

    private enum CodingKeys: String, CodingKey {
      case maxTokens = "max_tokens"
      case contrastFrom = "contrast_from"
      case temperature, system
    }

    /// Takes what matters from a run's options.
    public init(_ options: GenerationOptions, system: String?) {
      maxTokens = options.maximumTokens
      temperature = Double("\(options.sampling.temperature)") ?? Double(options.sampling.temperature)
      contrastFrom = options.contrastStart.rawValue
      self.system = system
    }

    /// Options that generate in the same way, without a seed.
    public var options: GenerationOptions {
      GenerationOptions(
        sampling: SamplingParameters(temperature: Float(temperature)), maximumTokens: maxTokens,
        contrastStart: ContrastStart(rawValue: contrastFrom) ?? .answer)
    }
  }

  /// A file of prompts and its part.
  public struct Source: Codable, Sendable, Hashable {
    /// The set's name.
    public var name: String
    /// SHA-256 of the file.
    public var sha256: String
    /// Harmless prompts used of it.
    public var harmless: Int
    /// Harmful prompts used of it.
    public var harmful: Int
    /// SHA-256 over identifiers and texts of just these prompts, in order; nil in profiles of 0.1 before it was kept.
    public var promptsSHA256: String?

    private enum CodingKeys: String, CodingKey {
      case name, sha256, harmless, harmful
      case promptsSHA256 = "prompts_sha256"
    }

    /// Describes a set.
    public init(_ dataset: Dataset) {
      name = dataset.name
      sha256 = dataset.sha256
      promptsSHA256 = Self.fingerprint(dataset.samples)
      harmless = dataset.labelCounts[.safe] ?? 0
      harmful = dataset.labelCounts[.harmful] ?? 0
    }
  }

  /// How prompts came to be calibrated or confirmed on: with the files, enough to draw the same parts again.
  public struct Split: Codable, Sendable, Hashable {
    /// The seed of the draw.
    public var seed: UInt64
    /// The share kept to confirm on; nil where those prompts were given apart, or none were kept.
    public var confirmFraction: Double?
    /// The column that says which prompts belong together, of which one harmful prompt each was drawn; nil where prompts
    /// were taken as independent.
    public var group: String?

    private enum CodingKeys: String, CodingKey {
      case confirmFraction = "confirm_fraction"
      case seed, group
    }

    /// Describes a split.
    public init(seed: UInt64, confirmFraction: Double?, group: String?) {
      self.seed = seed
      self.confirmFraction = confirmFraction
      self.group = group
    }
  }

  /// What was measured on one set of prompts, for the chosen strategy and for the reference.
  public struct StageFigures: Codable, Sendable, Hashable {
    /// The files.
    public var data: [Source]
    /// Counts of the reference.
    public var reference: CalibrationCounts
    /// Counts of the chosen strategy.
    public var chosen: CalibrationCounts
    /// Harmless prompts refused by the reference, with Wilson's 95 % interval.
    public var referenceOverRefusal: RefusalRate
    /// Harmless prompts refused by the chosen strategy, with Wilson's 95 % interval.
    public var chosenOverRefusal: RefusalRate
    /// Harmful prompts refused by the reference, with Wilson's 95 % interval.
    public var referenceHarmfulRefused: RefusalRate
    /// Harmful prompts refused by the chosen strategy, with Wilson's 95 % interval.
    public var chosenHarmfulRefused: RefusalRate
    /// The one-sided Clopper–Pearson bound on the share of refusals lost, at the profile's confidence; nil for the
    /// reference, which loses none by definition.
    public var lossUpperBound: Double?

    private enum CodingKeys: String, CodingKey {
      case data, reference, chosen
      case referenceOverRefusal = "reference_over_refusal"
      case chosenOverRefusal = "chosen_over_refusal"
      case referenceHarmfulRefused = "reference_harmful_refused"
      case chosenHarmfulRefused = "chosen_harmful_refused"
      case lossUpperBound = "loss_upper_bound"
    }

    /// Computes the figures that follow from counts.
    /// - Parameters:
    ///   - data: The files.
    ///   - reference: Counts of the reference.
    ///   - chosen: Counts of the chosen strategy.
    ///   - confidence: The profile's confidence.
    ///   - isReference: Whether the reference is what was chosen.
    /// - Throws: `StatisticsError` where an axis has no prompt.
    public init(
      data: [Source], reference: CalibrationCounts, chosen: CalibrationCounts, confidence: Double,
      isReference: Bool
    ) throws(StatisticsError) {
      self.data = data
      self.reference = reference
      self.chosen = chosen
      referenceOverRefusal = try RefusalRate(refused: reference.harmlessRefused, of: reference.harmless)
      chosenOverRefusal = try RefusalRate(refused: chosen.harmlessRefused, of: chosen.harmless)
      referenceHarmfulRefused = try RefusalRate(refused: reference.harmfulRefused, of: reference.harmful)
      chosenHarmfulRefused = try RefusalRate(refused: chosen.harmfulRefused, of: chosen.harmful)
      if !isReference {
        lossUpperBound = try ClopperPearson.upperBound(
          successes: chosen.lost, trials: chosen.unansweredByReference, confidence: confidence)
      }
    }
  }

  /// The version of the format.
  public var formatVersion: Int
  /// The calibrated model.
  public var model: Model
  /// The chosen strategy with all its parameters, the guarded prompt among them.
  public var chosen: StrategySetting
  /// The strategy whose refusals are kept.
  public var reference: StrategySetting
  /// The bound, its confidence, and the procedure.
  public var settings: CalibrationSettings
  /// Why the reference was kept; nil where a candidate was chosen.
  public var fallback: CalibrationStages.Fallback?
  /// The candidates that were tested, by identifier, in the order of the test.
  public var candidates: [String]
  /// Who judged.
  public var judge: Judge
  /// How prompts were parted; nil in profiles of 0.1 before it was kept.
  public var split: Split?
  /// How replies were generated.
  public var generation: Generation
  /// Calibrations with the same harmful prompts that the store knew before; nil in profiles of format 1.
  public var earlier: [EarlierCalibration]?
  /// Measured at calibration.
  public var calibration: StageFigures
  /// Measured on prompts that had no part in the choice; nil where no candidate came so far, and with a single stage.
  public var confirmation: StageFigures?
  /// The program's version and commit.
  public var codeVersion: String
  /// When it was made, ISO 8601.
  public var createdAt: String

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case codeVersion = "code_version"
    case createdAt = "created_at"
    case earlier = "earlier_calibrations"
    case model, chosen, reference, settings, fallback, candidates, judge, split, generation, calibration,
      confirmation
  }

  /// Makes a profile of the current format.
  public init(
    model: Model, chosen: StrategySetting, reference: StrategySetting, settings: CalibrationSettings,
    fallback: CalibrationStages.Fallback?, candidates: [String], judge: Judge, split: Split?,
    generation: Generation, earlier: [EarlierCalibration] = [], calibration: StageFigures,
    confirmation: StageFigures?,
    codeVersion: String, createdAt: Date = Date()
  ) {
    formatVersion = Self.currentFormat
    self.model = model
    self.chosen = chosen
    self.reference = reference
    self.settings = settings
    self.fallback = fallback
    self.candidates = candidates
    self.judge = judge
    self.split = split
    self.generation = generation
    self.earlier = earlier
    self.calibration = calibration
    self.confirmation = confirmation
    self.codeVersion = codeVersion
    self.createdAt = createdAt.formatted(.iso8601)
  }

  /// Whether a bound was shown for ``chosen``. A profile that kept the reference says how to decode and promises nothing.
  public var isCalibrated: Bool { fallback == nil }

  /// The strategy to decode with.
  public func strategy() -> any DecodingStrategy { chosen.strategy }

  /// Checks that a model is the one that was calibrated.
  /// - Parameter sha256: SHA-256 of the model's file, lower-case hexadecimal.
  /// - Throws: ``CalibrationProfileError/otherModel(profile:expected:found:)``.
  public func check(modelSHA256 sha256: String) throws(CalibrationProfileError) {
    guard sha256 == model.sha256 else {
      throw .otherModel(profile: model.name, expected: model.sha256, found: sha256)
    }
  }
}
