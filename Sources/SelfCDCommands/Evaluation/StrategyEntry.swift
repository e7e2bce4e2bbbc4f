import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval

/// One entry of `--strategies`: a strategy, perhaps with a safety prompt and a place for it of its own, as in
/// `guarded:brief`, `guarded:after-system` and `guarded:brief+last-turn`.
struct StrategyEntry {
  /// The strategy's name.
  let strategy: String
  /// The safety prompt that this entry alone is decoded with; nil takes the command's.
  private(set) var wording: SafetyEmphasis?
  /// Where the safety prompt of this entry alone stands; nil takes the command's place.
  private(set) var position: EmphasisPosition?

  /// - Throws: `ValidationError` for a strategy without a safety prompt, or a preset or place that does not exist.
  init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    strategy = StrategyName.meant(parts[0])
    guard parts.count == 2 else { return }
    let taken = try StrategyParameters.taken(by: strategy)
    guard taken.contains(.emphasis) else {
      throw ValidationError(
        "'\(text)': \(strategy) has no safety prompt. A wording can follow "
          + StrategyParameter.emphasis.takers.joined(separator: ", ") + ".")
    }
    for part in parts[1].lowercased().components(separatedBy: "+") {
      if wording == nil, let preset = SafetyEmphasis.preset(named: part) {
        wording = preset
      } else if position == nil, taken.contains(.emphasisPosition),
        let place = EmphasisPosition(rawValue: part)
      {
        position = place
      } else {
        throw ValidationError(Self.cannotFollow(part, in: text))
      }
    }
  }

  private static func cannotFollow(_ part: String, in text: String) -> String {
    "'\(text)': there is no safety prompt '\(part)' that can follow there. Known: "
      + SafetyEmphasis.presets.map(\.name).joined(separator: ", ") + "; or a place for it: "
      + EmphasisPosition.allCases.map(\.rawValue).joined(separator: ", ")
      + "; or one of each, as in brief+last-turn. Words of your own are given for all conditions with "
      + "--guarded-prompt."
  }

  /// The condition, named after its wording and its place where it has them: `self-cd@2.5:brief+last-turn`.
  func condition(_ made: any DecodingStrategy) -> EvaluationCondition {
    let condition = EvaluationCondition(strategy: made)
    let own = [wording?.name, position?.rawValue].compactMap(\.self)
    guard !own.isEmpty else { return condition }
    return EvaluationCondition(strategy: made, name: "\(condition.id):\(own.joined(separator: "+"))")
  }
}
