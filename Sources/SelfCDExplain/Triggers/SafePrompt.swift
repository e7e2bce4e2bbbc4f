import SelfCD
import SelfCDData
import SelfCDEval

/// A prompt that is labelled safe: the only kind for which an edit may be searched that turns a refusal into an answer.
///
/// There is no other way to make one than from a sample whose label is ``Sample/Label/safe``. The label is what the data
/// set or the caller says; that the caller says the truth cannot be checked here (docs/safety.md).
public struct SafePrompt: Sendable, Hashable {
  /// The prompt.
  public let chat: Chat
  /// Who said that it is safe.
  public let labelOrigin: Sample.LabelOrigin

  /// Takes a sample that is labelled safe.
  /// - Parameters:
  ///   - sample: The sample.
  ///   - system: A system prompt, where the sample has none of its own.
  /// - Throws: ``ExplanationError/notLabelledSafe(_:)`` for every other label and for none.
  public init(_ sample: Sample, system: String? = nil) throws(ExplanationError) {
    guard sample.label == .safe, let origin = sample.labelOrigin else { throw .notLabelledSafe(sample.label) }
    chat = EvaluationPlan(datasets: [], conditions: [], system: system).chat(for: sample)
    labelOrigin = origin
  }
}
