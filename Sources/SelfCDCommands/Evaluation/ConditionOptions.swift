import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval

/// The conditions of an evaluation: strategies, crossed with α where they have one.
struct ConditionOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      What to compare, with commas: \(StrategyCatalogue.names.joined(separator: ", ")). To compare safety prompts, put \
      after a name which one (\(SafetyEmphasis.presets.map(\.name).joined(separator: ", "))), where it stands \
      (\(EmphasisPosition.allCases.map(\.rawValue).joined(separator: ", "))), or both, as in guarded:brief, \
      self-cd:last-turn and guarded:brief+last-turn. If not given: \
      \(ConditionOptions.compared); calibrate: \(ConditionOptions.calibrated).
      """, valueName: "names"))
  var strategies: String?

  /// What an evaluation compares unless told otherwise.
  static let compared = "plain,guarded,helpful,self-cd,ada-cd"
  /// What a calibration tries unless told otherwise.
  static let calibrated = SelfContrastive.name

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: .init(
      """
      Strengths of the contrast, with commas, or a sweep: 0.5...3 is every \(NumberSweep.usualStep) from 0.5 to 3, \
      0.5...3:0.5 every 0.5. If not given: each strategy's own default; calibrate: for \(SelfContrastive.name) \
      \(CalibrateCommand.gridText).
      """, valueName: "numbers"))
  var alpha: String?

  @OptionGroup var parameters: ParameterOptions

  @Option(
    help: .init(
      """
      The condition that others are compared with; guarded if it is there. calibrate: the one whose refusals are kept, \
      plain, or guarded with a --guarded-prompt.
      """, valueName: "name"), transform: StrategyName.meantCondition)
  var reference: String?

  /// - Parameters:
  ///   - usual: the strategies where none is given.
  ///   - grids: strengths of a strategy where none is given, instead of its default.
  ///   - needsReference: whether the reference has to be one of the conditions.
  /// - Throws: `ValidationError`.
  func conditions(
    prompts: PromptOptions, usual: String = Self.compared, grids: [String: [Double]] = [:],
    needsReference: Bool = true
  ) throws -> [EvaluationCondition] {
    let entries = try Self.list(strategies ?? usual).map(StrategyEntry.init)
    guard !entries.isEmpty else { throw ValidationError("--strategies names none.") }
    let names = entries.map(\.strategy)
    let alphas = try alpha.map { try NumberSweep.numbers($0, option: "--alpha") }
    let shared = try parameters.parameters(prompts: prompts)
    var given = shared
    given.alpha = alphas?.first.map { Float($0) }
    try given.rejectUnused(by: names)
    var conditions: [EvaluationCondition] = []
    for entry in entries {
      let name = entry.strategy
      let taken = try StrategyParameters.taken(by: name)
      var own = shared.keeping(taken)
      if let wording = entry.wording { own.emphasis = wording }
      if let position = entry.position { own.emphasisPosition = position }
      for alpha in taken.contains(.alpha) ? ((alphas ?? grids[name])?.map(Optional.some) ?? [nil]) : [nil] {
        own.alpha = alpha.map { Float($0) }
        let strategy = try own.make(name)
        let condition = entry.condition(strategy)
        if !conditions.contains(where: { $0.id == condition.id }) { conditions.append(condition) }
      }
    }
    if needsReference, let reference, !conditions.contains(where: { $0.id == reference }) {
      throw ValidationError(
        "--reference '\(reference)' is none of the conditions: \(conditions.map(\.id).joined(separator: ", "))."
      )
    }
    return conditions
  }

  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }
}
