/// What a strategy is asked for by name with, whoever asks: a command line, a request, a grid. What is not given is left
/// to the strategy.
///
/// A strategy is made of it by ``StrategyCatalogue/make(_:_:)``, and says its own by ``DecodingStrategy/parameters``.
public struct StrategyParameters: Sendable, Hashable {
  private var values: [StrategyParameter: StrategyValue]

  /// Takes values.
  public init(_ values: [StrategyParameter: StrategyValue] = [:]) { self.values = values }

  /// The values that contrasts and prompts share.
  public init(
    alpha: Float? = nil, beta: Float? = nil, steps: Int? = nil, emphasis: SafetyEmphasis? = nil,
    plainSystem: String? = nil
  ) {
    self.init()
    self.alpha = alpha
    self.beta = beta
    self.steps = steps
    self.emphasis = emphasis
    self.plainSystem = plainSystem
  }

  /// A parameter's value; nil where it is not given.
  public subscript(parameter: StrategyParameter) -> StrategyValue? {
    get { values[parameter] }
    set { values[parameter] = newValue }
  }

  /// The parameters that are given, in the catalogue's order; those that no strategy there takes come last, by name.
  public var given: [StrategyParameter] {
    let known = StrategyCatalogue.parameters
    func place(_ parameter: StrategyParameter) -> (Int, String) {
      (known.firstIndex(of: parameter) ?? known.count, parameter.name)
    }
    return values.keys.sorted { place($0) < place($1) }
  }

  /// These parameters with those of `others` that are given in their place.
  public func replaced(by others: Self) -> Self { Self(values.merging(others.values) { $1 }) }

  /// Only those that are in `kept`.
  public func keeping(_ kept: some Sequence<StrategyParameter>) -> Self {
    let kept = Set(kept)
    return Self(values.filter { kept.contains($0.key) })
  }

  // MARK: Values by kind

  /// A parameter's value where it is a number and given: the shortest decimal, not the float's neighbour in double
  /// precision, so that it can be compared with a number that somebody wrote.
  public func number(_ parameter: StrategyParameter) -> Double? {
    switch values[parameter] {
    case .number(let value): Double("\(value)")
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// The value of a ``StrategyParameter/Kind/number(_:)``.
  public func float(_ parameter: StrategyParameter) -> Float? {
    if case .number(let value) = values[parameter] { value } else { nil }
  }

  /// The value of a ``StrategyParameter/Kind/integer(_:)``.
  public func integer(_ parameter: StrategyParameter) -> Int? {
    if case .integer(let value) = values[parameter] { value } else { nil }
  }

  /// The value of a ``StrategyParameter/Kind/choice(_:)``.
  public func choice(_ parameter: StrategyParameter) -> String? {
    if case .choice(let value) = values[parameter] { value } else { nil }
  }

  /// The value of a ``StrategyParameter/Kind/text``.
  public func text(_ parameter: StrategyParameter) -> String? {
    if case .text(let value) = values[parameter] { value } else { nil }
  }

  /// The value of a ``StrategyParameter/Kind/safetyPrompt``.
  public func safetyPrompt(_ parameter: StrategyParameter) -> SafetyEmphasis? {
    if case .safetyPrompt(let value) = values[parameter] { value } else { nil }
  }

  /// The value of a ``StrategyParameter/Kind/examples``.
  public func examples(_ parameter: StrategyParameter) -> [InContext.Example]? {
    if case .examples(let value) = values[parameter] { value } else { nil }
  }
}

extension StrategyParameters {
  /// Strength of the contrast.
  public var alpha: Float? {
    get { float(.alpha) }
    set { self[.alpha] = newValue.map(StrategyValue.number) }
  }

  /// Plausibility mask.
  public var beta: Float? {
    get { float(.beta) }
    set { self[.beta] = newValue.map(StrategyValue.number) }
  }

  /// The number of contrasted tokens.
  public var steps: Int? {
    get { integer(.steps) }
    set { self[.steps] = newValue.map(StrategyValue.integer) }
  }

  /// Replaces the plain lane's system prompt.
  public var plainSystem: String? {
    get { text(.plainSystem) }
    set { self[.plainSystem] = newValue.map(StrategyValue.text) }
  }
}
