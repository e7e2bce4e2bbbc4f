import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval

/// The conditions of an evaluation: strategies, crossed with α where they have one.
struct ConditionOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      What to compare, with commas: \(StrategyCatalogue.names.joined(separator: ", ")). If not given: \
      \(ConditionOptions.compared); calibrate: \(ConditionOptions.calibrated).
      """, valueName: "names"))
  var strategies: String?

  /// What an evaluation compares unless told otherwise.
  static let compared = "plain,guarded,helpful,self-cd,ada-cd"
  /// What a calibration tries unless told otherwise.
  static let calibrated = "self-cd"

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: .init(
      "Strengths of the contrast, with commas; each strategy's own default if not given.",
      valueName: "numbers"))
  var alpha: String?

  @Option(
    help: .init(
      "Plausibility mask: drop tokens below beta times the plain lane's best. 0 to 1.", valueName: "number"))
  var beta: Float?

  @Option(help: .init("Contrast only the first tokens; then the plain lane goes on alone.", valueName: "n"))
  var steps: Int?

  @Option(
    help: .init(
      "Questions with answers (columns 'prompt' and 'answer') for icl's examples.", valueName: "file"))
  var examples: String?

  @Option(
    help: .init("The condition that others are compared with; guarded if it is there.", valueName: "name"))
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
    let names = Self.list(strategies ?? usual)
    guard !names.isEmpty else { throw ValidationError("--strategies names none.") }
    try StrategyRequest.rejectUnused(prompts, by: names)
    let alphas = try alpha.map(Self.numbers)
    let contrasted = names.filter(StrategyRequest.contrastive.contains)
    for (option, isGiven) in [
      ("--alpha", alphas != nil), ("--beta", beta != nil), ("--steps", steps != nil),
    ]
    where isGiven && contrasted.isEmpty {
      throw ValidationError(
        "\(option) has no effect here; it goes with \(StrategyRequest.contrastive.joined(separator: ", ")).")
    }
    if examples != nil, !names.contains(InContext.name) {
      throw ValidationError("--examples has no effect here; it goes with \(InContext.name).")
    }
    var conditions: [EvaluationCondition] = []
    for name in names {
      let takesAlpha = StrategyRequest.contrastive.contains(name)
      for alpha in takesAlpha ? ((alphas ?? grids[name])?.map(Optional.some) ?? [nil]) : [nil] {
        let strategy = try StrategyRequest(
          name: name, alpha: alpha.map { Float($0) }, beta: takesAlpha ? beta : nil,
          steps: takesAlpha ? steps : nil, examples: name == InContext.name ? examples : nil
        ).make(prompts: prompts)
        let condition = EvaluationCondition(strategy: strategy, alpha: alpha ?? Self.defaultAlpha(strategy))
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

  /// The shortest decimal of the strategy's own default, not the float's neighbour in double precision.
  static func defaultAlpha(_ strategy: any DecodingStrategy) -> Double? {
    switch strategy {
    case let strategy as SelfContrastive: Double("\(strategy.alpha)")
    case let strategy as AdaCD: Double("\(strategy.alpha)")
    default: nil
    }
  }

  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  private static func numbers(_ text: String) throws -> [Double] {
    let numbers = try list(text).map { item in
      guard let number = Double(item), number.isFinite else {
        throw ValidationError("--alpha takes numbers with commas between them, not '\(item)'.")
      }
      return number == 0 ? 0 : number
    }
    guard !numbers.isEmpty else { throw ValidationError("--alpha names no number.") }
    return numbers
  }
}
