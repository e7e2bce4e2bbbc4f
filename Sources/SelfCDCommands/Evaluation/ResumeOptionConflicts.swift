import SelfCD
import SelfCDEval

/// Finds options beside `--resume` that say otherwise than the run: its own settings hold, and what was asked for would
/// be ignored without a word.
///
/// An option that was left out has its usual value and is not looked at.
struct ResumeOptionConflicts {
  private(set) var differing: [String] = []

  mutating func compare<Value: Equatable>(_ option: String, _ given: Value, usual: Value, run: Value) {
    if given != usual, given != run, !differing.contains(option) { differing.append(option) }
  }

  /// How replies are generated.
  mutating func compare(_ given: GenerationOptions, usual: GenerationOptions, run: GenerationOptions) {
    func each<Value: Equatable>(_ option: String, _ path: KeyPath<GenerationOptions, Value>) {
      compare(option, given[keyPath: path], usual: usual[keyPath: path], run: run[keyPath: path])
    }
    each("--max-tokens", \.maximumTokens)
    each("--temperature", \.sampling.temperature)
    each("--top-k", \.sampling.topK)
    each("--top-p", \.sampling.topP)
    each("--min-p", \.sampling.minP)
    each("--typical-p", \.sampling.typicalP)
    each("--top-n-sigma", \.sampling.topNSigma)
    each("--repetition-penalty", \.penalties.repetition)
    each("--frequency-penalty", \.penalties.frequency)
    each("--presence-penalty", \.penalties.presence)
    each("--logit-bias", \.bias)
    each("--min-tokens", \.minimumTokens)
    each("--ignore-eos", \.ignoresEnd)
    each("--seed", \.sampling.seed)
    each("--stop", \.stopStrings)
    each("--contrast-from", \.contrastStart)
    each("--recorded-steps", \.summarizedSteps)
  }

  /// What is compared. Which of the options made the difference cannot be told, since together they make conditions.
  mutating func compare(
    _ given: [EvaluationCondition], usual: [EvaluationCondition], run: [EvaluationCondition]
  ) {
    func shape(_ conditions: [EvaluationCondition]) -> [String: StrategySetting] {
      conditions.reduce(into: [:]) { $0[$1.id] = StrategySetting($1.strategy) }
    }
    compare(
      "the conditions (--strategies, --alpha, --guarded-prompt and the like)", shape(given),
      usual: shape(usual), run: shape(run))
  }

  /// - Throws: `CommandError` that names what differs.
  func finish(run: String) throws {
    guard !differing.isEmpty else { return }
    throw CommandError.invalid(
      "The run '\(run)' began with other values of \(differing.joined(separator: ", ")), and goes on with its own. "
        + "Leave them out, or start a new run.")
  }
}
