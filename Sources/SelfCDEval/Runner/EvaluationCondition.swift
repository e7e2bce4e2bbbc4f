import SelfCD
import SelfCDSupport

/// One way of decoding that an evaluation compares.
public struct EvaluationCondition: Sendable, Identifiable {
  /// How replies are decoded.
  public let strategy: any DecodingStrategy
  /// A name of its own, where strategy and strength do not tell it from others.
  public let name: String?

  /// Makes a condition.
  public init(strategy: any DecodingStrategy, name: String? = nil) {
    self.strategy = strategy
    self.name = name
  }

  /// The contrast strength; nil for strategies that have none.
  public var alpha: Double? { strategy.parameters.number(.alpha) }

  /// Its own name, or the strategy's with the strength where it has one: `self-cd@2.5`.
  public var id: String {
    if let name { return name }
    guard let alpha else { return strategy.name }
    return strategy.name + "@" + NumberFormat.parameter(alpha)
  }
}
