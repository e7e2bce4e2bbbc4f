/// One way of decoding that a run compares: a strategy with its parameters.
public struct ConditionRecord: Codable, Sendable, Hashable, Identifiable {
  /// Unique in the run, for example `self-cd@2.5`.
  public var id: String
  /// The strategy's name.
  public var strategy: String
  /// The contrast strength, where the strategy has one.
  public var alpha: Double?
  /// The strategy in full, as a JSON document.
  public var parameters: String

  /// Makes a condition.
  public init(id: String, strategy: String, alpha: Double? = nil, parameters: String = "{}") {
    self.id = id
    self.strategy = strategy
    self.alpha = alpha
    self.parameters = parameters
  }
}
