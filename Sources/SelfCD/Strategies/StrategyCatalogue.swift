import Synchronization

/// Every strategy by name. Adding one is a file and a line here; a program adds its own by ``register(_:)``.
public enum StrategyCatalogue {
  /// This package's strategies.
  public static let builtIn: [any DecodingStrategy.Type] = [
    Plain.self, Guarded.self, Helpful.self, InContext.self, ChainOfThought.self,
    FewShotChainOfThought.self, SelfContrastive.self, AdaCD.self, ProbedContrast.self,
    Guidance.self,
  ]
  private static let registered = Mutex<[any DecodingStrategy.Type]>([])

  /// All strategies: this package's, then those that were registered.
  public static var all: [any DecodingStrategy.Type] { builtIn + registered.withLock(\.self) }

  /// Adds a program's own strategy, so that stores, profiles, servers and command lines know it by its name. One of the
  /// same name that was registered before gives way to it.
  /// - Throws: ``StrategyError/nameTaken(_:)`` for the name of one of this package's.
  public static func register(_ type: any DecodingStrategy.Type) throws(StrategyError) {
    guard !builtIn.contains(where: { $0.name == type.name }) else { throw .nameTaken(type.name) }
    registered.withLock { types in
      types.removeAll { $0.name == type.name }
      types.append(type)
    }
  }

  /// Everything that some strategy takes, each once, in the order of the strategies.
  public static var parameters: [StrategyParameter] {
    var known: [StrategyParameter] = []
    // A contrast's own first: α, β and the like are what people look for.
    for type in all.sorted(by: { $0.takes.count > $1.takes.count }) {
      for parameter in type.takes where !known.contains(parameter) { known.append(parameter) }
    }
    return known
  }

  /// The names that ``make(_:_:)`` knows, in the order of ``all``.
  public static var names: [String] { all.map { $0.name } }

  /// The names of those that contrast, that is, take α.
  public static var contrastive: [String] { StrategyParameter.alpha.takers }

  /// How a model decodes where nothing is calibrated and no strategy is asked for: as its deployment does without this
  /// program. Guarded by the deployment's own safety text where it has one, and plain where it has none, so that neither
  /// is a refusal given up nor a safety prompt put before an application that had none.
  /// - Parameter emphasis: The deployment's safety text; nil for none.
  public static func uncalibrated(emphasis: SafetyEmphasis?) -> any DecodingStrategy {
    emphasis.map { Guarded(emphasis: $0) } ?? Plain()
  }

  /// The name of the strategy that a person means: case, hyphens, underscores and spaces do not matter, so that
  /// `SelfCD`, `self_cd` and `selfcd` are `self-cd`. Nil where it is none.
  public static func name(meantBy text: String) -> String? {
    let wanted = letters(of: text)
    return names.first { letters(of: $0) == wanted }
  }

  private static func letters(of text: String) -> String {
    text.lowercased().filter { $0.isLetter || $0.isNumber }
  }

  /// - Throws: ``StrategyError/unknown(name:known:)``.
  public static func type(named name: String) throws(StrategyError) -> any DecodingStrategy.Type {
    let meant = Self.name(meantBy: name)
    guard let type = all.first(where: { $0.name == meant }) else { throw .unknown(name: name, known: names) }
    return type
  }

  /// A strategy by name.
  ///
  /// - Throws: ``StrategyError``: there is none of that name, it does not take a parameter that is given (one without
  ///   effect would mislead), needs one that is not, or one is out of range.
  public static func make(
    _ name: String, _ parameters: StrategyParameters = StrategyParameters()
  ) throws(StrategyError) -> any DecodingStrategy {
    let type = try type(named: name)
    if let unused = parameters.given.first(where: { !type.takes.contains($0) }) {
      throw .unused(unused, strategy: type.name)
    }
    let made = try type.init(parameters)
    try made.validate()
    return made
  }
}
