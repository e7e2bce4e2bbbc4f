import Foundation
import SelfCD
import SelfCDEval
import SelfCDStore
import SelfCDSupport

extension ConditionRecord {
  /// A condition with its strategy in full.
  /// - Throws: `EncodingError`.
  public init(_ condition: EvaluationCondition) throws {
    self.init(
      id: condition.id, strategy: condition.strategy.name, alpha: condition.alpha,
      parameters: try CanonicalJSON.text(condition.strategy))
  }

  /// The condition as it was run.
  /// - Throws: `StrategyError` for a strategy that is not known any more, `DecodingError`.
  public func condition() throws -> EvaluationCondition {
    func decode<Strategy: DecodingStrategy>(_ type: Strategy.Type) throws -> any DecodingStrategy {
      try JSONDecoder().decode(type, from: Data(parameters.utf8))
    }
    return EvaluationCondition(
      strategy: try decode(try StrategyCatalogue.type(named: strategy)), name: id)
  }
}
