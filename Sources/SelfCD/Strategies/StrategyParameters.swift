/// What a strategy can be given. Which of them it takes is ``DecodingStrategy/takes``.
public enum StrategyParameter: String, Sendable, Hashable, CaseIterable {
  case alpha
  case beta
  case steps
  case agreement
  case doubt
  case probes
  case opening
  case emphasis
  case plainSystem
  case examples

  /// The names of the strategies that take it.
  public var takers: [String] { StrategyCatalogue.all.filter { $0.takes.contains(self) }.map { $0.name } }
}

/// What a strategy is asked for by name with, whoever asks: a command line, a request, a grid; `nil` leaves the
/// strategy its own.
///
/// A strategy is made of it by ``StrategyCatalogue/make(_:_:)``, and says its own by ``DecodingStrategy/parameters``.
public struct StrategyParameters: Sendable, Hashable {
  /// Strength of the contrast; see ``SelfContrastive/alpha``.
  public var alpha: Float?
  /// Plausibility mask; see ``SelfContrastive/beta``.
  public var beta: Float?
  /// The number of contrasted tokens.
  public var steps: Int?
  /// How far lanes must agree for a refusal: ``AdaCD/agreement``, ``ProbedContrast/agreement``.
  public var agreement: Float?
  /// From which agreement on a question's copies count: ``ProbedContrast/doubt``.
  public var doubt: Float?
  /// How many copies of the question are read at most: ``ProbedContrast/probes``.
  public var probes: Int?
  /// What those copies begin with: ``ProbedContrast/opening``.
  public var opening: String?
  /// The guarded prompt.
  public var emphasis: SafetyEmphasis?
  /// Replaces the plain lane's system prompt.
  public var plainSystem: String?
  /// The questions with answers that ``InContext`` chooses from.
  public var examples: [InContext.Example]?

  public init(
    alpha: Float? = nil, beta: Float? = nil, steps: Int? = nil, agreement: Float? = nil, doubt: Float? = nil,
    probes: Int? = nil, opening: String? = nil, emphasis: SafetyEmphasis? = nil, plainSystem: String? = nil,
    examples: [InContext.Example]? = nil
  ) {
    self.alpha = alpha
    self.beta = beta
    self.steps = steps
    self.agreement = agreement
    self.doubt = doubt
    self.probes = probes
    self.opening = opening
    self.emphasis = emphasis
    self.plainSystem = plainSystem
    self.examples = examples
  }

  /// A parameter's value where it is a number and given: the shortest decimal, not the float's neighbour in double
  /// precision, so that it can be compared with a number that somebody wrote.
  public func number(_ parameter: StrategyParameter) -> Double? {
    switch parameter {
    case .alpha: alpha.flatMap { Double("\($0)") }
    case .beta: beta.flatMap { Double("\($0)") }
    case .agreement: agreement.flatMap { Double("\($0)") }
    case .doubt: doubt.flatMap { Double("\($0)") }
    case .steps: steps.map(Double.init)
    case .probes: probes.map(Double.init)
    case .opening, .emphasis, .plainSystem, .examples: nil
    }
  }

  /// The parameters that are given.
  public var given: [StrategyParameter] {
    StrategyParameter.allCases.filter { parameter in
      switch parameter {
      case .opening: opening != nil
      case .emphasis: emphasis != nil
      case .plainSystem: plainSystem != nil
      case .examples: examples != nil
      default: number(parameter) != nil
      }
    }
  }

  /// These parameters with those of `others` that are given in their place.
  public func replaced(by others: Self) -> Self {
    Self(
      alpha: others.alpha ?? alpha, beta: others.beta ?? beta, steps: others.steps ?? steps,
      agreement: others.agreement ?? agreement, doubt: others.doubt ?? doubt,
      probes: others.probes ?? probes, opening: others.opening ?? opening,
      emphasis: others.emphasis ?? emphasis,
      plainSystem: others.plainSystem ?? plainSystem, examples: others.examples ?? examples)
  }

  /// Only those that are in `kept`.
  public func keeping(_ kept: Set<StrategyParameter>) -> Self {
    Self(
      alpha: kept.contains(.alpha) ? alpha : nil, beta: kept.contains(.beta) ? beta : nil,
      steps: kept.contains(.steps) ? steps : nil, agreement: kept.contains(.agreement) ? agreement : nil,
      doubt: kept.contains(.doubt) ? doubt : nil, probes: kept.contains(.probes) ? probes : nil,
      opening: kept.contains(.opening) ? opening : nil,
      emphasis: kept.contains(.emphasis) ? emphasis : nil,
      plainSystem: kept.contains(.plainSystem) ? plainSystem : nil,
      examples: kept.contains(.examples) ? examples : nil)
  }
}
