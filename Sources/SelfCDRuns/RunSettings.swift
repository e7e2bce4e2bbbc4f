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

  /// A calibration's own settings; its candidates are the run's conditions but the reference, in their order.
  public struct Calibration: Codable, Sendable, Equatable {
    /// What is promised, and how it is tested.
    public var settings: CalibrationSettings
    /// The data sets to confirm on; the others are to calibrate on.
    public var confirmation: [String]
    /// How the prompts were parted; nil in runs of 0.1 before it was kept.
    public var split: CalibrationProfile.Split?

    /// Makes settings.
    public init(
      settings: CalibrationSettings, confirmation: [String], split: CalibrationProfile.Split? = nil
    ) {
      self.settings = settings
      self.confirmation = confirmation
      self.split = split
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

  /// Reads a stored run's settings.
  /// - Throws: ``RunError/notAnEvaluation(run:)`` for a record that has none.
  public init(of run: RunRecord) throws(RunError) {
    do {
      self = try JSONDecoder().decode(RunSettings.self, from: Data(run.parameters.utf8))
    } catch {
      throw .notAnEvaluation(run: run.id)
    }
  }

  /// The column that the run's figures are grouped by: its own, or the one that its calibration draws prompts by.
  public var groupColumn: String? { group ?? calibration?.split?.group }

  /// As ``RunRecord/parameters`` holds them.
  func json() throws -> String { try CanonicalJSON.text(self) }
}
