/// What a lane is to a strategy: which of its prompts the lane continues.
public enum LaneRole: String, Codable, Sendable, Hashable, CaseIterable {
  /// The prompt with the safety emphasis.
  case guarded
  /// The same prompt without it.
  case plain
}

/// One prompt a strategy wants to have continued.
public struct LanePrompt: Sendable, Hashable {
  /// Which lane continues the prompt.
  public let role: LaneRole
  /// The conversation that the lane is shown, any safety emphasis included.
  public let chat: Chat

  /// A prompt for one lane; a strategy names each role at most once.
  public init(role: LaneRole, chat: Chat) {
    self.role = role
    self.chat = chat
  }
}

/// A way of decoding, as a value: parameters only, no state.
///
/// The engine calls, in this order: ``validate()`` before any model work is spent, ``lanes(for:)`` and
/// ``probes(for:)`` once per chat, ``makeRule()`` once per generation. State lives in the rule, so that nothing leaks between generations.
public protocol DecodingStrategy: Codable, Sendable, Hashable {
  /// The name used on the command line and in results, such as `self-cd`.
  static var name: String { get }

  /// What it can be given, in the order in which people are told. Other parameters would have no effect.
  static var takes: [StrategyParameter] { get }

  /// Makes it of what it ``takes``, with its own defaults for what is not given.
  ///
  /// - Throws: ``StrategyError/missing(_:strategy:)`` where something has no default.
  init(_ parameters: StrategyParameters) throws(StrategyError)

  /// What it ``takes``, as it is.
  var parameters: StrategyParameters { get }

  /// Checks the parameters.
  ///
  /// - Throws: ``StrategyError`` that names the parameter, its value and its limits.
  func validate() throws(StrategyError)

  /// The prompts this strategy needs for a chat: one, or a guarded and a plain one.
  func lanes(for chat: Chat) -> [LanePrompt]

  /// Prompts that are only read: one row of next-token logits each, given to the rule before its first step.
  func probes(for chat: Chat) -> [Chat]

  /// Whether ``probes(for:)`` may ask for any: one more lane is then needed until the first token.
  var readsProbes: Bool { get }

  /// A fresh rule for one generation.
  func makeRule() -> any DecodingRule

  /// Whether lanes are contrasted, that is, whether safety can be lost and has to be calibrated per model.
  var isContrastive: Bool { get }

  /// The lane that decides alone while the model reasons, where contrast begins with the answer.
  var reasoningLane: LaneRole { get }
}

extension DecodingStrategy {
  /// The name of the strategy's type, for values whose type is not known.
  public var name: String { Self.name }
  /// None: a strategy takes no parameters unless it says so.
  public static var takes: [StrategyParameter] { [] }
  /// None is given, as fits a strategy that takes none.
  public var parameters: StrategyParameters { StrategyParameters() }
  /// No probes.
  public func probes(for chat: Chat) -> [Chat] { [] }
  /// `false`: the strategy reads its lanes alone.
  public var readsProbes: Bool { false }
  /// The guarded one: who asked for safety keeps it while the model thinks.
  public var reasoningLane: LaneRole { .guarded }

  /// Lanes that a generation needs to start.
  public func lanesToStart(for chat: Chat) -> Int { lanes(for: chat).count + (readsProbes ? 1 : 0) }
}

/// Turns the lanes' next-token logits into one row of scores, step by step.
///
/// A rule is a value: it can be copied to take a snapshot and put back to roll a generation back.
/// Where the strategy asked for probes, ``read(probes:beside:)`` comes first, once.
/// Order of calls in each step: ``greedy(_:step:scratch:)`` or ``combine(_:step:into:)``, then ``accept(_:)`` with the
/// token that was chosen, then ``lanesNeeded(afterStep:)``.
public protocol DecodingRule: Sendable {
  /// Told what follows the strategy's probes, before the first step.
  ///
  /// - Parameters:
  ///   - probes: raw logits behind each probe, in the strategy's order, each `[vocabulary size]`.
  ///   - lanes: the lanes' logits at the first step.
  mutating func read(probes: [[Float]], beside lanes: LaneLogits)

  /// Writes one score per vocabulary entry; `-inf` excludes a token.
  ///
  /// - Parameters:
  ///   - lanes: raw logits of the lanes that are still alive, each `[vocabulary size]`.
  ///   - step: 0 for the first generated token.
  ///   - scores: `[vocabulary size]`; where nothing stands behind the rule (``DecodingChain``), softmax of it is the
  ///     distribution that is sampled from.
  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float])

  /// The best token and its score, or `nil` when no token has a finite score.
  ///
  /// Equal to the first maximum of ``combine(_:step:into:)``; a rule may find it without writing the row.
  mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken?

  /// Told of each token after it was chosen and before it is decoded.
  mutating func accept(_ token: TokenID)

  /// The lanes that later steps still read. A lane left out is freed and never comes back.
  func lanesNeeded(afterStep step: Int) -> Set<LaneRole>
}

extension DecodingRule {
  /// Writes the whole row of scores and takes its first maximum; `scratch` becomes that row.
  public mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    combine(lanes, step: step, into: &scratch)
    return Argmax.first(of: scratch)
  }

  /// Does nothing: right for rules whose scores depend on the step alone.
  public mutating func accept(_ token: TokenID) {}
  /// Does nothing: right for rules of strategies without probes.
  public mutating func read(probes: [[Float]], beside lanes: LaneLogits) {}
}

/// A token and the score it was chosen by.
public struct ScoredToken: Sendable, Hashable {
  /// The token's index in the vocabulary.
  public let token: TokenID
  /// Its score, on the scale of the row it was chosen from: logits or combined scores, not a probability.
  public let score: Float

  /// Pairs a token with its score.
  public init(token: TokenID, score: Float) {
    self.token = token
    self.score = score
  }
}

/// Why a strategy's parameters are refused.
public enum StrategyError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A parameter's name, its value and the range it has to be in, all in words.
  case outOfRange(parameter: String, value: String, allowed: String)
  /// A name that no strategy has, and the names there are.
  case unknown(name: String, known: [String])
  /// A parameter that the strategy does not take.
  case unused(StrategyParameter, strategy: String)
  /// A strategy of that name is part of the package.
  case nameTaken(String)
  /// A parameter that the strategy cannot do without.
  case missing(StrategyParameter, strategy: String)

  /// The error in words: what is wrong, and what is allowed.
  public var description: String {
    switch self {
    case .outOfRange(let parameter, let value, let allowed):
      "\(parameter) is \(value), but it must be \(allowed)."
    case .unknown(let name, let known):
      "There is no strategy named '\(name)'. Known strategies: \(known.joined(separator: ", "))."
    case .unused(let parameter, let strategy):
      "\(parameter) has no effect on '\(strategy)'; it goes with \(parameter.takers.joined(separator: ", "))."
    case .nameTaken(let name):
      "There is a strategy named '\(name)' in this package. Give yours another name."
    case .missing(let parameter, let strategy): "'\(strategy)' needs \(parameter)."
    }
  }
}
