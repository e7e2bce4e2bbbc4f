import ArgumentParser
import Foundation
import SelfCD
import SelfCDSupport

/// The safety emphasis and what the caller's own system prompt becomes.
struct PromptOptions: ParsableArguments {
  @Option(
    help: .init(
      "The safety emphasis: \(SafetyEmphasis.presets.map(\.name).joined(separator: ", ")), or a text of your own.",
      valueName: "preset or text"))
  var guardedPrompt: String?

  @Option(help: .init("A file with the safety emphasis.", valueName: "file"))
  var guardedPromptFile: String?

  @Option(
    help: .init(
      StrategyParameter.emphasisPosition.help, valueName: StrategyParameter.emphasisPosition.valueName))
  var emphasisPosition: EmphasisPosition?

  @Option(help: .init("Your own system prompt; it stays in both lanes.", valueName: "text"))
  var system: String?

  @Option(
    help: .init(
      "Replaces the system prompt in the plain lane, where your own already stresses safety.",
      valueName: "text"))
  var plainSystem: String?

  /// The options given that change what the lanes are told.
  var given: [String] {
    [
      ("--guarded-prompt", guardedPrompt != nil), ("--guarded-prompt-file", guardedPromptFile != nil),
      (StrategyParameter.emphasisPosition.option, emphasisPosition != nil),
      ("--plain-system", plainSystem != nil),
    ].filter(\.1).map(\.0)
  }

  /// Whether any of them is.
  var changesLanes: Bool { !given.isEmpty }

  func validate() throws {
    if guardedPrompt != nil, guardedPromptFile != nil {
      throw ValidationError("Give --guarded-prompt or --guarded-prompt-file, not both.")
    }
    if let guardedPrompt, guardedPrompt.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty {
      throw ValidationError("--guarded-prompt is empty. Leave it out for the paper's prompt.")
    }
  }

  /// What the lanes are told, as parameters of a strategy.
  func parameters(alpha: Float? = nil) throws -> StrategyParameters {
    var parameters = StrategyParameters(alpha: alpha, emphasis: try emphasis(), plainSystem: plainSystem)
    parameters.emphasisPosition = emphasisPosition
    return parameters
  }

  /// The guarded model as these options and the environment say.
  func guarded() throws -> any DecodingStrategy {
    try parameters().keeping(Guarded.takes).make(Guarded.name)
  }

  /// The emphasis asked for, or else `usual`, where the options say that it stands.
  func emphasis(or usual: SafetyEmphasis) throws -> SafetyEmphasis { try parameters().emphasis(or: usual) }

  /// The emphasis asked for, or `nil` for a strategy's own default. Where it stands is said apart.
  func emphasis() throws -> SafetyEmphasis? {
    if let guardedPromptFile { return try SafetyEmphasis.read(file: guardedPromptFile) }
    guard let guardedPrompt else { return nil }
    if let preset = SafetyEmphasis.preset(named: guardedPrompt) { return preset }
    // A single word is a mistyped name rather than a prompt.
    guard guardedPrompt.contains(where: \.isWhitespace) else {
      throw ValidationError(
        """
        there is no guarded prompt named '\(guardedPrompt)'. Known: \
        \(SafetyEmphasis.presets.map(\.name).joined(separator: ", ")); or give a text of several words.
        """)
    }
    return SafetyEmphasis(text: guardedPrompt)
  }
}

extension SafetyEmphasis {
  /// The emphasis that a file holds.
  /// - Throws: ``CommandError``.
  static func read(file: String) throws -> SafetyEmphasis {
    let text = try InputText.read(file: file).trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else { throw CommandError.invalid("\(file) holds no safety emphasis.") }
    return SafetyEmphasis(text: text)
  }
}

/// Strategies as people write them.
enum StrategyName {
  /// The strategy's own name, or the text as it is where it names none, to be refused with the names there are.
  static func meant(_ text: String) -> String { StrategyCatalogue.name(meantBy: text) ?? text }

  /// A condition's name, whose strategy may be written so too: `SelfCD@2.5`, `Guarded:brief`.
  static func meantCondition(_ text: String) -> String {
    // What follows the name, a strength or a wording, is kept as it is.
    let end = text.firstIndex { $0 == "@" || $0 == ":" } ?? text.endIndex
    guard let strategy = StrategyCatalogue.name(meantBy: String(text[..<end])) else { return text }
    return strategy + text[end...]
  }
}

/// A strategy by name, with the parameters it takes.
struct StrategyOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: .init(
      """
      How to decode: \(StrategyCatalogue.names.joined(separator: ", ")). If not given: see the command's description.
      """, valueName: "name"), transform: StrategyName.meant)
  var strategy: String?

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: .init(
      """
      Strength of the contrast: 0 is the guarded model, 1 the plain one, more moves on. Below 0 strengthens \
      refusals. Within ±\(NumberFormat.parameter(SelfContrastive.alphaLimit)); by default 2.5 (self-cd), 4.5 (ada-cd) or 2 (probe-cd).
      """, valueName: "number"))
  var alpha: Float?

  @OptionGroup var parameters: ParameterOptions

  /// The strategy's name; for commands that are about contrast Self-CD where none is given, unless options of guidance
  /// are.
  var name: String { strategy ?? (parameters.asksForGuidance ? Guidance.name : SelfContrastive.name) }

  /// The strategy's name for commands that answer: one that is named, Self-CD or guidance where options of theirs are
  /// given, and else as the deployment decodes, since nobody asked for contrast.
  func answeringName(prompts: PromptOptions) throws -> String {
    if let strategy { return strategy }
    guard alpha == nil, parameters.given.isEmpty else { return name }
    // Only contrast has a plain lane beside another one, so that the option alone would mislead.
    let emphasis = try prompts.emphasis()
    return prompts.plainSystem == nil
      ? StrategyCatalogue.uncalibrated(emphasis: emphasis).name : SelfContrastive.name
  }

  /// These options with the strategy named that answers.
  func answering(prompts: PromptOptions) throws -> Self {
    var named = self
    named.strategy = try answeringName(prompts: prompts)
    return named
  }

  /// The options given.
  var given: [String] {
    [("--strategy", strategy != nil), ("--alpha", alpha != nil)].filter(\.1).map(\.0) + parameters.given
  }

  /// Whether any option says how to decode.
  var isGiven: Bool { !given.isEmpty }

  /// The strategy asked for.
  ///
  /// - Throws: `ValidationError` for an unknown name, a parameter the strategy does not take, or one out of range.
  func make(prompts: PromptOptions) throws -> any DecodingStrategy {
    try parameters.parameters(alpha: alpha, prompts: prompts).make(name)
  }

  /// The strategy asked for, where the prompts are other strategies' too and need not have an effect on this one.
  func make(sharing prompts: PromptOptions) throws -> any DecodingStrategy {
    let given = try parameters.parameters(alpha: alpha, prompts: prompts)
    let taken = try StrategyParameters.taken(by: name)
    let shared: [StrategyParameter] = [.emphasis, .emphasisPosition, .plainSystem]
    return try given.keeping(given.given.filter { taken.contains($0) || !shared.contains($0) }).make(name)
  }
}

/// How long to answer and how to draw.
struct SamplingOptions: ParsableArguments {
  @Option(name: [.customShort("n"), .long], help: .init("Most tokens to generate.", valueName: "n"))
  var maxTokens = 200

  @Option(help: .init("0 is greedy.", valueName: "number"))
  var temperature: Float = 0

  @Option(help: .init("Draw from the k best tokens.", valueName: "n"))
  var topK: Int?

  @Option(help: .init("Draw from the best tokens that make up this probability.", valueName: "number"))
  var topP: Float?

  @Option(help: .init("Drop tokens below this share of the best one's probability.", valueName: "number"))
  var minP: Float?

  @Option(
    help: .init(
      "Draw from the tokens whose surprise is nearest to the entropy, up to this probability.",
      valueName: "number"))
  var typicalP: Float?

  @Option(
    help: .init(
      "Drop tokens whose score is more than this many standard deviations below the best one's.",
      valueName: "number"))
  var topNSigma: Float?

  @Option(help: .init("The same seed gives the same draws.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: .init("End before this text. Repeatable.", valueName: "text"))
  var stop: [String] = []

  @Option(
    help: .init(
      "On reasoning models, contrast from the start of the reasoning or of the answer.", valueName: "where"))
  var contrastFrom = ContrastStart.answer

  func options(traceCandidates: Int = 0) -> GenerationOptions {
    GenerationOptions(
      sampling: SamplingParameters(
        temperature: temperature, topK: topK, topP: topP, minP: minP, typicalP: typicalP,
        topNSigma: topNSigma, seed: seed),
      maximumTokens: maxTokens, stopStrings: stop, traceCandidates: traceCandidates,
      contrastStart: contrastFrom)
  }

  func validate() throws {
    do { try options().validate() } catch { throw ValidationError("\(error)") }
  }
}
