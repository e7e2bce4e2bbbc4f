import ArgumentParser
import SelfCD
import SelfCDEval

/// One entry of `--strategies`: a strategy, perhaps with a safety prompt of its own, as in `guarded:brief`.
struct StrategyEntry {
  /// The strategy's name.
  let strategy: String
  /// The safety prompt that this entry alone is decoded with; nil takes the command's.
  let wording: SafetyEmphasis?

  /// - Throws: `ValidationError` for a strategy without a safety prompt, or a preset that does not exist.
  init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    strategy = StrategyName.meant(parts[0])
    guard parts.count == 2 else {
      wording = nil
      return
    }
    guard try StrategyParameters.taken(by: strategy).contains(.emphasis) else {
      throw ValidationError(
        "'\(text)': \(strategy) has no safety prompt. A wording can follow "
          + StrategyParameter.emphasis.takers.joined(separator: ", ") + ".")
    }
    guard let preset = SafetyEmphasis.preset(named: parts[1].lowercased()) else {
      throw ValidationError(
        "'\(text)': there is no safety prompt '\(parts[1])'. Known: "
          + SafetyEmphasis.presets.map(\.name).joined(separator: ", ")
          + ". Words of your own are given for all conditions with --guarded-prompt.")
    }
    wording = preset
  }

  /// The condition, named after its wording where it has one: `self-cd@2.5:brief`.
  func condition(_ made: any DecodingStrategy) -> EvaluationCondition {
    let condition = EvaluationCondition(strategy: made)
    guard let wording else { return condition }
    return EvaluationCondition(strategy: made, name: "\(condition.id):\(wording.name)")
  }
}
