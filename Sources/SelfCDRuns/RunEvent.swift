import SelfCDEval

/// What happens while a run is carried out.
public enum RunEvent: Sendable {
  /// A stage of a calibration begins.
  case stage(CalibrationRun.Stage)
  /// A tuning has decided, for its time, which candidates it measures.
  case scheduled(TuningDecision)
  /// Replies were generated and stored.
  case generated(EvaluationProgress)
  /// Replies that could not be generated.
  case failed([EvaluationFailure])
  /// A judge has judged some of the replies that are put to it.
  case judged(judge: String, done: Int, planned: Int)
  /// A judge's model named no class for some replies, or a judge does not know their language; they stay without its
  /// verdict.
  case unreadable(judge: String, replies: Int, planned: Int)
  /// How much of timing the conditions is done, 0 … 1.
  case timed(Double)
}

/// Told what happens, from several tasks.
public typealias RunObserver = @Sendable (RunEvent) -> Void
