import Foundation
import SelfCD

/// Makes strategies from what a request or the operator asks for.
enum StrategyFactory {
  /// The strategies that a server can offer: those that need nothing but a chat.
  static let names = [Guarded.name, Plain.name, Helpful.name, ChainOfThought.name] + contrastive

  /// Those that take α, β and steps.
  static let contrastive = [SelfContrastive.name, AdaCD.name, ProbedContrast.name]

  /// Those that have a guarded prompt.
  static let guarding = [Guarded.name] + contrastive

  static func defaultAlpha(of name: String) -> Float? {
    switch name {
    case SelfContrastive.name: SelfContrastive.defaultAlpha
    case AdaCD.name: AdaCD.defaultAlpha
    case ProbedContrast.name: ProbedContrast.defaultAlpha
    default: nil
    }
  }

  /// - Parameter emphasis: the guarded prompt; `nil` for a strategy's own.
  /// - Returns: `nil` for a name that is not in ``names``.
  static func make(
    _ name: String, alpha: Float? = nil, beta: Float? = nil, steps: Int? = nil,
    emphasis: SafetyEmphasis? = nil
  ) -> (any DecodingStrategy)? {
    switch name {
    case Plain.name: return Plain()
    case Guarded.name: return Guarded(emphasis: emphasis ?? .paper)
    case Helpful.name: return Helpful()
    case ChainOfThought.name: return ChainOfThought()
    case AdaCD.name:
      var made = AdaCD(emphasis: emphasis ?? .refuse)
      if let alpha { made.alpha = alpha }
      if let beta { made.beta = beta }
      if let steps { made.steps = steps }
      return made
    case ProbedContrast.name:
      var made = ProbedContrast(emphasis: emphasis ?? .refuse)
      if let alpha { made.alpha = alpha }
      if let beta { made.beta = beta }
      if let steps { made.steps = steps }
      return made
    case SelfContrastive.name:
      return SelfContrastive(
        alpha: alpha ?? SelfContrastive.defaultAlpha, beta: beta ?? 0, steps: steps,
        emphasis: emphasis ?? .paper)
    default: return nil
    }
  }

  /// The α of a contrasting strategy.
  static func alpha(of strategy: any DecodingStrategy) -> Float? { StrategyFacts(strategy).alpha }
}

/// The parameters that any strategy may have, as it encodes itself: profiles may bring strategies that
/// clients cannot ask for.
struct StrategyFacts: Decodable, Sendable {
  var alpha: Float?
  var beta: Float?
  var steps: Int?

  init(_ strategy: any DecodingStrategy) {
    if let data = try? JSONEncoder().encode(strategy),
      let facts = try? JSONDecoder().decode(StrategyFacts.self, from: data)
    {
      self = facts
    }
  }
}
