import ArgumentParser
import SelfCD

/// What strategies can be given besides α and the prompts; how α is given differs by command.
struct ParameterOptions: ParsableArguments {
  @Option(
    help: .init(
      "Plausibility mask: drop tokens below beta times the plain lane's best. 0 to 1.", valueName: "number"))
  var beta: Float?

  @Option(help: .init("Contrast only the first tokens; then the plain lane goes on alone.", valueName: "n"))
  var steps: Int?

  @Option(
    help: .init(
      "How far lanes must agree for a refusal, 0 to 1: ada-cd's lambda (0.9), probe-cd's tau (0.85).",
      valueName: "number"))
  var agreement: Float?

  @Option(
    help: .init(
      "How far the question itself must agree before probe-cd heeds its copies, 0 to 1 (0.3).",
      valueName: "number"))
  var doubt: Float?

  @Option(help: .init("Shortened copies of the question that probe-cd reads, at most.", valueName: "n"))
  var probes: Int?

  @Option(
    help: .init(
      "What those copies begin with, in the questions' language ('Help me ').", valueName: "text"))
  var opening: String?

  @Option(
    help: .init(
      "Questions with answers (columns 'prompt' and 'answer') for icl's examples.", valueName: "file"))
  var examples: String?

  /// Forgets what a strategy does not take.
  mutating func keep(_ taken: Set<StrategyParameter>) {
    if !taken.contains(.beta) { beta = nil }
    if !taken.contains(.steps) { steps = nil }
    if !taken.contains(.agreement) { agreement = nil }
    if !taken.contains(.doubt) { doubt = nil }
    if !taken.contains(.probes) { probes = nil }
    if !taken.contains(.opening) { opening = nil }
    if !taken.contains(.examples) { examples = nil }
  }

  /// The options given.
  var given: [String] {
    [
      ("--beta", beta != nil), ("--steps", steps != nil), ("--agreement", agreement != nil),
      ("--doubt", doubt != nil), ("--probes", probes != nil), ("--opening", opening != nil),
      ("--examples", examples != nil),
    ].filter(\.1).map(\.0)
  }

  /// - Throws: what reading a file throws.
  func parameters(alpha: Float? = nil, prompts: PromptOptions) throws -> StrategyParameters {
    StrategyParameters(
      alpha: alpha, beta: beta, steps: steps, agreement: agreement, doubt: doubt, probes: probes,
      opening: opening,
      emphasis: try prompts.emphasis(), plainSystem: prompts.plainSystem,
      examples: try examples.map(ExamplePool.read))
  }
}

extension StrategyParameter {
  /// The option that gives it.
  var option: String {
    switch self {
    case .emphasis: "--guarded-prompt"
    case .plainSystem: "--plain-system"
    default: "--\(rawValue)"
    }
  }
}

extension ValidationError {
  /// The error in the words of the command line.
  init(_ error: StrategyError) {
    switch error {
    case .unused(let parameter, let name): self.init(parameter, hasNoEffectOn: [name])
    case .missing(let parameter, let name):
      self.init("'\(name)' needs \(parameter.option), which has no default.")
    case .outOfRange, .unknown: self.init("\(error)")
    }
  }

  fileprivate init(_ parameter: StrategyParameter, hasNoEffectOn names: [String]) {
    self.init(
      "\(parameter.option) has no effect on '\(names.joined(separator: ", "))'; it goes with "
        + "\(parameter.takers.joined(separator: ", ")).")
  }
}

extension StrategyParameters {
  /// A parameter that has no effect would mislead, so it is an error.
  ///
  /// - Throws: `ValidationError` for an unknown name, or a parameter that none of the strategies `names` takes.
  func rejectUnused(by names: [String]) throws {
    let taken = try names.reduce(into: Set<StrategyParameter>()) { $0.formUnion(try Self.taken(by: $1)) }
    for parameter in given where !taken.contains(parameter) {
      throw ValidationError(parameter, hasNoEffectOn: names)
    }
  }

  /// What the strategy `name` takes.
  ///
  /// - Throws: `ValidationError` for an unknown name.
  static func taken(by name: String) throws -> Set<StrategyParameter> {
    do { return try StrategyCatalogue.type(named: name).takes } catch { throw ValidationError(error) }
  }

  /// The strategy `name` with them.
  ///
  /// - Throws: `ValidationError` for an unknown name, a parameter the strategy does not take, or one out of range.
  func make(_ name: String) throws -> any DecodingStrategy {
    do { return try StrategyCatalogue.make(name, self) } catch { throw ValidationError(error) }
  }
}
