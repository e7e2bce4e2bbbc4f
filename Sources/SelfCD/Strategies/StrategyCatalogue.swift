/// Every strategy by name. Adding one is a file and a line here.
public enum StrategyCatalogue {
  public static let all: [any DecodingStrategy.Type] = [
    Plain.self, Guarded.self, Helpful.self, InContext.self, ChainOfThought.self, SelfContrastive.self,
    AdaCD.self, ProbedContrast.self,
  ]

  public static var names: [String] { all.map { $0.name } }

  /// - Throws: ``StrategyError/unknown(name:known:)``.
  public static func type(named name: String) throws(StrategyError) -> any DecodingStrategy.Type {
    guard let type = all.first(where: { $0.name == name }) else { throw .unknown(name: name, known: names) }
    return type
  }
}
