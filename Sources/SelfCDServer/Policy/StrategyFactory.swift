import Foundation
import SelfCD
import SelfCDEval

/// Makes strategies from what a request or the operator asks for.
enum StrategyFactory {
  /// The strategies that a server can offer, with their own parameters: those that need nothing but a chat. A new one
  /// is one more item here.
  private static let known: [any DecodingStrategy] = [
    Guarded(), Plain(), Helpful(), ChainOfThought(), SelfContrastive(), AdaCD(), ProbedContrast(),
  ]

  static let names = known.map(\.name)

  /// Those that take α, β and steps.
  static let contrastive = known.filter(\.isContrastive).map(\.name)

  /// Those that have a guarded prompt.
  static let guarding = [Guarded.name] + contrastive

  static func defaultAlpha(of name: String) -> Float? {
    known.first { $0.name == name }.flatMap { StrategyFacts($0).alpha }
  }

  /// - Parameter emphasis: the guarded prompt; `nil` for a strategy's own.
  /// - Returns: `nil` for a name that is not in ``names``.
  static func make(
    _ name: String, alpha: Float? = nil, beta: Float? = nil, steps: Int? = nil,
    emphasis: SafetyEmphasis? = nil
  ) -> (any DecodingStrategy)? {
    guard let base = known.first(where: { $0.name == name }) else { return nil }
    var changes: [String: JSONValue] = [:]
    if let alpha { changes["alpha"] = .number(Double(alpha)) }
    if let beta { changes["beta"] = .number(Double(beta)) }
    if let steps { changes["steps"] = .integer(steps) }
    if let emphasis, guarding.contains(name) {
      changes["emphasis"] = .object(["name": .string(emphasis.name), "text": .string(emphasis.text)])
    }
    return changed(base, changes)
  }

  /// The strategy with other parameters, under the names that it encodes them with.
  private static func changed(
    _ base: some DecodingStrategy, _ changes: [String: JSONValue]
  ) -> (any DecodingStrategy)? {
    guard !changes.isEmpty else { return base }
    func decode<Strategy: DecodingStrategy>(_ type: Strategy.Type, _ data: Data) throws
      -> any DecodingStrategy
    {
      try JSONDecoder().decode(type, from: data)
    }
    guard let data = try? JSONEncoder().encode(base),
      let parameters = try? JSONDecoder().decode([String: JSONValue].self, from: data),
      let merged = try? JSONEncoder().encode(parameters.merging(changes) { $1 })
    else { return nil }
    return try? decode(type(of: base), merged)
  }

  /// The α of a contrasting strategy.
  static func alpha(of strategy: any DecodingStrategy) -> Float? { StrategyFacts(strategy).alpha }
}

/// The parameters that any strategy may have, as it encodes itself: profiles may bring strategies that clients cannot
/// ask for.
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
