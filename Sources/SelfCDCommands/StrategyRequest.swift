import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval

/// A strategy as it is asked for: a name, and the parameters that were given.
struct StrategyRequest {
  var name: String
  var alpha: Float?
  var beta: Float?
  var steps: Int?
  var agreement: Float?
  var doubt: Float?
  var probes: Int?
  /// A file with the examples of `icl`.
  var examples: String?

  /// The strategies that take ``alpha``.
  static let contrastive = [SelfContrastive.name, AdaCD.name, ProbedContrast.name]
  /// The strategies that take ``agreement``.
  static let gated = [AdaCD.name, ProbedContrast.name]

  /// The strategy asked for.
  ///
  /// - Throws: `ValidationError` for an unknown name, a parameter the strategy does not take, or one out of range.
  func make(prompts: PromptOptions) throws -> any DecodingStrategy {
    do {
      _ = try StrategyCatalogue.type(named: name)
      let made = try build(emphasis: try prompts.emphasis(), plainSystem: prompts.plainSystem)
      try rejectUnused()
      try made.validate()
      return made
    } catch let error as StrategyError {
      throw ValidationError("\(error)")
    }
  }

  private func build(emphasis: SafetyEmphasis?, plainSystem: String?) throws -> any DecodingStrategy {
    switch name {
    case Plain.name: return Plain(plainSystem: plainSystem)
    case Guarded.name: return Guarded(emphasis: emphasis ?? .paper)
    case Helpful.name: return Helpful()
    case ChainOfThought.name: return ChainOfThought()
    case InContext.name:
      guard let examples else {
        throw ValidationError("'\(name)' needs examples to choose from: --examples FILE.")
      }
      return InContext(pool: try ExamplePool.read(examples))
    case AdaCD.name:
      var made = AdaCD(emphasis: emphasis ?? .refuse, plainSystem: plainSystem)
      if let alpha { made.alpha = alpha }
      if let beta { made.beta = beta }
      if let steps { made.steps = steps }
      if let agreement { made.agreement = agreement }
      return made
    case ProbedContrast.name:
      var made = ProbedContrast(emphasis: emphasis ?? .refuse, plainSystem: plainSystem)
      if let alpha { made.alpha = alpha }
      if let beta { made.beta = beta }
      if let steps { made.steps = steps }
      if let agreement { made.agreement = agreement }
      if let doubt { made.doubt = doubt }
      if let probes { made.probes = probes }
      return made
    default:
      return SelfContrastive(
        alpha: alpha ?? SelfContrastive.defaultAlpha, beta: beta ?? 0, steps: steps,
        emphasis: emphasis ?? .paper,
        plainSystem: plainSystem)
    }
  }

  /// - Throws: `ValidationError` for prompt options that none of the strategies `names` reads.
  static func rejectUnused(_ prompts: PromptOptions, by names: [String]) throws {
    let guards = prompts.guardedPrompt != nil || prompts.guardedPromptFile != nil
    let given: [(String, Bool, [String])] = [
      ("--guarded-prompt", guards, [Guarded.name] + contrastive),
      ("--plain-system", prompts.plainSystem != nil, [Plain.name] + contrastive),
    ]
    for (option, isGiven, takers) in given where isGiven && !names.contains(where: takers.contains) {
      throw ValidationError(
        "\(option) has no effect on '\(names.joined(separator: ", "))'; it goes with "
          + "\(takers.joined(separator: ", ")).")
    }
  }

  /// A parameter that has no effect would mislead, so it is an error.
  private func rejectUnused() throws {
    let given: [(String, Bool, [String])] = [
      ("--alpha", alpha != nil, Self.contrastive), ("--beta", beta != nil, Self.contrastive),
      ("--steps", steps != nil, Self.contrastive), ("--agreement", agreement != nil, Self.gated),
      ("--doubt", doubt != nil, [ProbedContrast.name]), ("--probes", probes != nil, [ProbedContrast.name]),
      ("--examples", examples != nil, [InContext.name]),
    ]
    for (option, isGiven, takers) in given where isGiven && !takers.contains(name) {
      throw ValidationError(
        "\(option) has no effect on '\(name)'; it goes with \(takers.joined(separator: ", ")).")
    }
  }
}

/// The questions and answers that in-context examples are chosen from.
enum ExamplePool {
  private static let answerColumns = ["answer", "completion", "reply", "response"]

  /// Reads a file in any format of prompts that has a column with answers too.
  /// - Throws: `DatasetError`, `CommandError` where no row has an answer.
  static func read(_ path: String) throws -> [InContext.Example] {
    let dataset = try DatasetReader().read(path: (path as NSString).expandingTildeInPath)
    let examples = dataset.samples.compactMap { sample in
      answerColumns.lazy.compactMap { sample.fields[$0] }.first.map {
        InContext.Example(question: sample.prompt, answer: $0)
      }
    }
    guard !examples.isEmpty else {
      throw CommandError.invalid(
        "\(path) has no column with answers (\(answerColumns.joined(separator: ", "))).")
    }
    return examples
  }
}
