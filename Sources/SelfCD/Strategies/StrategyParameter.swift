/// Something that strategies can be given.
///
/// It is declared once, in the file of the strategy that brings it. The option of the command line, the environment
/// variable, the field of a request, the operator's range, reports and help follow from the declaration:
///
/// ```swift
/// extension StrategyParameter {
///   static let fading = StrategyParameter("fading", .number(0...1), help: "Share of α that each token keeps.")
/// }
/// ```
///
/// Two parameters of one name are the same one.
public struct StrategyParameter: Sendable, Hashable, CustomStringConvertible {
  /// What its values are.
  public enum Kind: Sendable, Hashable {
    /// A number within limits.
    case number(ClosedRange<Double>)
    /// A whole number within limits.
    case integer(ClosedRange<Int>)
    /// One of some words.
    case choice([String])
    /// A text.
    case text
    /// A safety prompt, by the name of a preset or as a text.
    case safetyPrompt
    /// Questions with answers.
    case examples
  }

  /// Its name in snake case, as in requests.
  public let name: String
  /// What its values are.
  public let kind: Kind
  /// What it does, in a full phrase.
  public let help: String

  /// Declares a parameter.
  public init(_ name: String, _ kind: Kind, help: String) {
    self.name = name
    self.kind = kind
    self.help = help
  }

  /// Whether its values are numbers: those can be bounded, and so clients of a server may ask for them.
  public var isNumeric: Bool {
    switch kind {
    case .number, .integer: true
    case .choice, .text, .safetyPrompt, .examples: false
    }
  }

  /// The limits of a number; nil for other kinds.
  public var limits: ClosedRange<Double>? {
    switch kind {
    case .number(let range): range
    case .integer(let range): Double(range.lowerBound)...Double(range.upperBound)
    case .choice, .text, .safetyPrompt, .examples: nil
    }
  }

  /// The names of the strategies that take it.
  public var takers: [String] { StrategyCatalogue.all.filter { $0.takes.contains(self) }.map { $0.name } }

  /// The name.
  public var description: String { name }

  /// Parameters are compared by name.
  public static func == (first: Self, second: Self) -> Bool { first.name == second.name }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  // MARK: Values

  /// Checks a value against the limits.
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public func check(_ value: Float) throws(StrategyError) {
    guard case .number(let range) = kind else { return }
    // The decimal that was written, not the float's neighbour in double precision.
    guard value.isFinite, range.contains(Double("\(value)") ?? Double(value)) else {
      throw .outOfRange(parameter: name, value: "\(value)", allowed: allowed)
    }
  }

  /// Checks a whole number against the limits.
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public func check(_ value: Int) throws(StrategyError) {
    guard case .integer(let range) = kind, !range.contains(value) else { return }
    throw .outOfRange(parameter: name, value: "\(value)", allowed: allowed)
  }

  /// Reads a value that somebody wrote. Safety prompts may be presets' names.
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)`` for what is no value of its kind.
  public func value(of text: String) throws(StrategyError) -> StrategyValue {
    switch kind {
    case .number:
      guard let number = Float(text) else { break }
      try check(number)
      return .number(number)
    case .integer:
      guard let number = Int(text) else { break }
      try check(number)
      return .integer(number)
    case .choice(let words):
      guard words.contains(text) else { break }
      return .choice(text)
    case .text: return .text(text)
    case .safetyPrompt:
      return .safetyPrompt(SafetyEmphasis.preset(named: text) ?? SafetyEmphasis(text: text))
    case .examples: break
    }
    throw .outOfRange(parameter: name, value: "'\(text)'", allowed: allowed)
  }

  /// The values it may have, in words.
  private var allowed: String {
    switch kind {
    case .number(let range):
      "a number from \(Self.decimal(range.lowerBound)) to \(Self.decimal(range.upperBound))"
    case .integer(let range):
      range.upperBound == .max
        ? "\(range.lowerBound) or more" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .choice(let words): "one of " + words.joined(separator: ", ")
    case .text: "a text"
    case .safetyPrompt: "a safety prompt"
    case .examples: "questions with answers"
    }
  }

  private static func decimal(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : "\(value)"
  }
}

/// A value of a ``StrategyParameter``.
public enum StrategyValue: Sendable, Hashable {
  /// A number.
  case number(Float)
  /// A whole number.
  case integer(Int)
  /// One of some words.
  case choice(String)
  /// A text.
  case text(String)
  /// A safety prompt.
  case safetyPrompt(SafetyEmphasis)
  /// Questions with answers.
  case examples([InContext.Example])
}

// MARK: - Parameters that several strategies share

extension StrategyParameter {
  /// Strength of the contrast; see ``SelfContrastive/alpha``.
  public static let alpha = StrategyParameter(
    "alpha", .number(-Double(SelfContrastive.alphaLimit)...Double(SelfContrastive.alphaLimit)),
    help:
      "Strength of the contrast: 0 is the guarded model, 1 the plain one, more moves on; below 0 strengthens refusals."
  )
  /// Plausibility mask; see ``SelfContrastive/beta``.
  public static let beta = StrategyParameter(
    "beta", .number(0...1),
    help: "Plausibility mask: drop tokens below beta times the plain lane's best. 0 to 1.")
  /// The number of contrasted tokens.
  public static let steps = StrategyParameter(
    "steps", .integer(1...(.max)),
    help: "Contrast only the first tokens; then the plain lane goes on alone.")
  /// The safety prompt of the guarded lane.
  public static let emphasis = StrategyParameter(
    "guarded_prompt", .safetyPrompt, help: "The safety prompt of the guarded lane: a preset, or a text.")
  /// Replaces the plain lane's system prompt.
  public static let plainSystem = StrategyParameter(
    "plain_system", .text,
    help: "Replaces the system prompt in the plain lane, where the application's own already stresses safety."
  )
}
