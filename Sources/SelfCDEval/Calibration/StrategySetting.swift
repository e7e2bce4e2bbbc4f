import SelfCD

/// A strategy with all its parameters, written and read by name through the catalogue.
public struct StrategySetting: Codable, Sendable, Hashable {
  /// The strategy.
  public var strategy: any DecodingStrategy

  /// Wraps a strategy.
  public init(_ strategy: any DecodingStrategy) { self.strategy = strategy }

  private enum CodingKeys: String, CodingKey { case name, parameters }

  /// Reads the parameters as the strategy of that name has them, and checks their ranges.
  /// - Throws: `StrategyError` for an unknown name or a parameter out of range, `DecodingError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let type = try StrategyCatalogue.type(named: try container.decode(String.self, forKey: .name))
    func read<Strategy: DecodingStrategy>(_ type: Strategy.Type) throws -> any DecodingStrategy {
      try container.decode(type, forKey: .parameters)
    }
    strategy = try read(type)
    try strategy.validate()
  }

  /// Writes name and parameters.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(strategy.name, forKey: .name)
    func write(_ strategy: some DecodingStrategy) throws {
      try container.encode(strategy, forKey: .parameters)
    }
    try write(strategy)
  }

  /// Equal when name and parameters are.
  public static func == (first: Self, second: Self) -> Bool {
    AnyHashable(first.strategy) == AnyHashable(second.strategy)
  }

  /// Hashes the parameters.
  public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(strategy)) }
}
