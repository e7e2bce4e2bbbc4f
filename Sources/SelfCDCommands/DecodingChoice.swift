import SelfCD
import SelfCDEval

/// How a command that answers decodes, and who said so.
struct DecodingChoice {
  /// Who said how to decode.
  enum Source {
    /// A profile of the model.
    case profile(LoadedProfile)
    /// Options of the command.
    case asked
    /// Nobody: the model decodes as its deployment does without this program.
    case usual
  }

  let strategy: any DecodingStrategy
  let source: Source

  /// The one rule of all commands that answer: a profile, then what the options ask for, then
  /// `StrategyCatalogue.uncalibrated`.
  /// - Throws: what is wrong with the profile or the model's file; `ValidationError` for the options.
  static func make(
    profile: ProfileOptions, strategy: StrategyOptions, prompts: PromptOptions, model: ModelOptions,
    console: Console
  ) async throws -> DecodingChoice {
    let loaded = try await profile.loadOrDefault(
      for: model, strategy: strategy, prompts: prompts, console: console)
    if let loaded { return DecodingChoice(profile: loaded) }
    return DecodingChoice(
      strategy: try strategy.answering(prompts: prompts).make(prompts: prompts),
      source: strategy.isGiven || prompts.plainSystem != nil ? .asked : .usual)
  }

  init(profile: LoadedProfile) {
    strategy = profile.strategy
    source = .profile(profile)
  }

  init(strategy: any DecodingStrategy, source: Source) {
    self.strategy = strategy
    self.source = source
  }

  /// The profile in force.
  var profile: LoadedProfile? {
    if case .profile(let profile) = source { profile } else { nil }
  }

  /// What a bound for this setting of this model was shown under; nil where none was shown.
  var conditions: MeasuredConditions? {
    guard let profile = profile?.profile, profile.isCalibrated else { return nil }
    return profile.generation.conditions
  }
}
