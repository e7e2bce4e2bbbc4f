import SelfCDEval
import SelfCDRuns

/// A calibration with what came of it, as it is printed.
struct MeasuredCalibration {
  let run: CalibrationRun
  let result: CalibrationStages
  /// Prompts that were left out because a reply is missing.
  let incomplete: Int
  /// The command that measures candidates that were not asked; nil where all were, or none is worth asking.
  let goOn: String?
}
