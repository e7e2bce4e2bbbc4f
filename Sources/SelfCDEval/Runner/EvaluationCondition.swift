import SelfCD
import SelfCDSupport

/// One way of decoding that an evaluation compares.
public struct EvaluationCondition: Sendable, Identifiable {
  /// How replies are decoded.
  public let strategy: any DecodingStrategy
  /// The contrast strength; nil for strategies that have none.
  public let alpha: Double?
  /// A name of its own, where strategy and strength do not tell it from others.
  public let name: String?

  /// Makes a condition; `alpha` names the strength the strategy was made with.
  public init(strategy: any DecodingStrategy, alpha: Double? = nil, name: String? = nil) {
    self.strategy = strategy
    self.alpha = alpha
    self.name = name
  }

  /// Its own name, or the strategy's with the strength where it has one: `self-cd@2.5`.
  public var id: String {
    if let name { return name }
    guard let alpha else { return strategy.name }
    return strategy.name + "@" + NumberFormat.parameter(alpha)
  }
}
