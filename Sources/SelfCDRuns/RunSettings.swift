import Foundation
import SelfCD
import SelfCDEval
import SelfCDStore
import SelfCDSupport

/// The settings of a run that its conditions and data sets do not say: with those, all that resuming needs.
///
/// They are what ``RunRecord/parameters`` holds, so their keys are part of the store's format.
public struct RunSettings: Codable, Sendable, Equatable {
  /// How long to generate and how to draw.
  public var options: GenerationOptions
  /// The system prompt of samples that have none of their own.
  public var system: String?
  /// How often each sample is answered under each condition.
  public var repetitions: Int
  /// The names of the judges; the first one's verdicts are counted.
  public var judges: [String]
  /// The condition that others are compared with; nil for the usual one.
  public var reference: String?
  /// The column that says which prompts belong together; nil takes them as independent, as runs of 0.1 do.
  public var group: String?
  /// Where the model was; its hash is in the run record.
  public var modelPath: String
  /// The adapters that the model ran with, and where they were; nil for none.
  public var adapters: [ModelAdapter]?
  /// What a calibration tests with the run's replies; nil for other runs.
  public var calibration: Calibration?
  /// Where the replies come from, if they were made elsewhere: how they were generated is then not known, and
  /// ``options`` and ``modelPath`` say nothing. Nil for runs of this program.
  public var imported: Imported?

  /// Where the replies of an imported run come from.
  public struct Imported: Codable, Sendable, Equatable {
    /// The files' names, without folders.
    public var files: [String]

    /// Names files.
    public init(files: [String]) {
      self.files = files
    }

    /// What a reader of the run's figures has to know.
    package var remark: String {
      "Imported from \(files.joined(separator: ", ")): the replies were made elsewhere, so their speed and cost are "
        + "not known."
    }
  }

  /// A calibration's own settings; its candidates are the run's conditions but the reference, in their order.
  public struct Calibration: Codable, Sendable, Equatable {
    /// What is promised, and how it is tested.
    public var settings: CalibrationSettings
    /// The data sets to confirm on; the others are to calibrate on.
    public var confirmation: [String]
    /// How the prompts were parted; nil in runs of 0.1 before it was kept.
    public var split: CalibrationProfile.Split?
    /// What a tuning is of and what it decided; nil for other calibrations.
    public var tuning: Tuning?

    /// Makes settings.
    /// - Parameters:
    ///   - settings: What is promised, and how it is tested.
    ///   - confirmation: The data sets to confirm on; the others are to calibrate on.
    ///   - split: How the prompts were parted.
    ///   - tuning: What a tuning is of; nil for other calibrations.
    public init(
      settings: CalibrationSettings, confirmation: [String], split: CalibrationProfile.Split? = nil,
      tuning: Tuning? = nil
    ) {
      self.settings = settings
      self.confirmation = confirmation
      self.split = split
      self.tuning = tuning
    }
  }

  /// What ``TuningRun`` keeps besides a calibration's settings.
  public struct Tuning: Codable, Sendable, Equatable {
    /// The fingerprint of everything that its replies follow from (`TuningInputs`).
    public var inputs: String
    /// The condition that is measured beside the reference and is no candidate.
    public var comparison: String
    /// Which candidates it measures; nil before that was decided.
    public var decision: TuningDecision?

    /// Makes settings.
    /// - Parameters:
    ///   - inputs: The fingerprint of everything that its replies follow from.
    ///   - comparison: The condition that is measured beside the reference.
    ///   - decision: Which candidates it measures; nil before that was decided.
    public init(inputs: String, comparison: String, decision: TuningDecision? = nil) {
      self.inputs = inputs
      self.comparison = comparison
      self.decision = decision
    }
  }

  /// The settings of a plan.
  public init(
    plan: EvaluationPlan, judges: [String], reference: String? = nil, group: String? = nil,
    model: ModelFile, calibration: Calibration? = nil
  ) {
    options = plan.options
    system = plan.system
    repetitions = plan.repetitions
    self.judges = judges
    self.reference = reference
    self.group = group
    modelPath = model.path
    adapters = model.adapters.isEmpty ? nil : model.adapters
    self.calibration = calibration
  }

  /// The settings of a run whose replies were made elsewhere.
  init(
    imported: Imported, repetitions: Int, judges: [String], reference: String? = nil, group: String? = nil
  ) {
    options = GenerationOptions()
    self.repetitions = repetitions
    self.judges = judges
    self.reference = reference
    self.group = group
    modelPath = ""
    self.imported = imported
  }

  /// Reads a stored run's settings.
  /// - Throws: ``RunError/notAnEvaluation(run:)`` for a record that has none.
  public init(of run: RunRecord) throws(RunError) {
    do {
      self = try JSONDecoder().decode(RunSettings.self, from: Data(run.parameters.utf8))
    } catch {
      throw .notAnEvaluation(run: run.id)
    }
  }

  /// Reads the settings that a stored run goes on with.
  /// - Throws: ``RunError/notAnEvaluation(run:)``; ``RunError/imported(run:)`` for replies that were made elsewhere.
  public static func resumable(_ run: RunRecord) throws(RunError) -> RunSettings {
    let settings = try RunSettings(of: run)
    guard settings.imported == nil else { throw .imported(run: run.id) }
    return settings
  }

  /// The model's file; nil where the replies were made elsewhere.
  public var judgedModel: String? { imported == nil ? modelPath : nil }

  /// The column that the run's figures are grouped by: its own, or the one that its calibration draws prompts by.
  public var groupColumn: String? { group ?? calibration?.split?.group }

  /// As ``RunRecord/parameters`` holds them.
  func json() throws -> String { try CanonicalJSON.text(self) }
}
