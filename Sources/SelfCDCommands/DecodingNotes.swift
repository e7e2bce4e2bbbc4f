import SelfCD
import SelfCDEval
import SelfCDSupport

/// What has to be said once of how a model decodes, in the same words wherever it decodes.
enum DecodingNotes {
  /// Whose system prompts the model sees.
  enum SystemPrompts {
    /// Those of the chats that the command asks, as in this one.
    case own(Chat)
    /// Those that clients of a server send.
    case clients
  }

  /// The remarks, most important first; none where the user asked for decoding without contrast.
  /// - Parameters:
  ///   - choice: how it decodes.
  ///   - options: how long it answers and how it draws.
  ///   - system: whose system prompts it sees.
  ///   - hasFormat: whether its replies have to keep to a schema or a grammar.
  static func lines(
    _ choice: DecodingChoice, options: GenerationOptions, system: SystemPrompts, hasFormat: Bool = false
  ) -> [String] {
    switch choice.source {
    case .profile(let profile):
      return [profile.statement] + [conditions(of: profile, options, system, hasFormat)].compactMap(\.self)
    case .usual: return [usual(choice.strategy)]
    case .asked: return asked(choice.strategy, system)
    }
  }

  /// - Parameters:
  ///   - choice: how it decodes.
  ///   - options: how long it answers and how it draws.
  ///   - chat: what is asked, without which nobody can say whether the lanes are equal.
  ///   - hasFormat: whether the reply has to keep to a schema or a grammar.
  ///   - console: where the remarks go.
  static func print(
    _ choice: DecodingChoice, options: GenerationOptions, chat: Chat, hasFormat: Bool = false,
    console: Console
  ) {
    for line in lines(choice, options: options, system: .own(chat), hasFormat: hasFormat) {
      console.note(line)
    }
  }

  /// What decoding that nobody asked for is.
  private static func usual(_ strategy: any DecodingStrategy) -> String {
    let what =
      strategy is Plain
      ? "plain, that is, as it is, without a safety prompt and without contrast"
      : "\(StrategyTitle.of(strategy)), that is, under the safety prompt given and without contrast"
    return
      "this model is not calibrated, so it decodes \(what). 'selfcd calibrate' looks for a setting that refuses less, "
      + "with a bound on what that costs; \(DeploymentTable.page) says which options are yours."
  }

  private static func asked(_ strategy: any DecodingStrategy, _ system: SystemPrompts) -> [String] {
    guard strategy.isContrastive else { return [] }
    var lines: [String] = []
    if case .own(let chat) = system {
      let lanes = strategy.lanes(for: Chat(question: "", system: chat.systemPrompt))
      if lanes.count == 2, lanes[0].chat == lanes[1].chat {
        lines.append("the guarded and the plain prompt are equal, so there is nothing to contrast.")
      }
    }
    lines.append(
      "\(StrategyTitle.of(strategy)) is not calibrated for this model: contrast can also lose refusals of harmful requests "
        + "(docs/safety.md, 'selfcd calibrate').")
    return lines
  }

  /// Where a profile is used otherwise than it was calibrated.
  private static func conditions(
    of profile: LoadedProfile, _ options: GenerationOptions, _ system: SystemPrompts, _ hasFormat: Bool
  ) -> String? {
    let measured = profile.profile.generation.conditions
    var differences: [String] = []
    let length: [MeasuredConditions.Difference] =
      measured.isExceeded(by: options.maximumTokens) ? [.maxTokens] : []
    let format: [MeasuredConditions.Difference] = hasFormat ? [.format] : []
    differences += (length + measured.differences(of: options) + format).map { words($0, measured, options) }
    switch system {
    case .own(let chat):
      differences += measured.differences(of: chat).map { words($0, measured, options, chat) }
    case .clients: differences.append("\(words(measured.system)) (here clients may send any)")
    }
    guard !differences.isEmpty else { return nil }
    return
      "that was measured under other conditions and need not hold here: \(differences.joined(separator: ", "))."
  }

  private static func words(_ system: String?) -> String {
    system == nil ? "no system prompt" : "a system prompt of its own"
  }

  /// What was measured, and what is here instead.
  private static func words(
    _ difference: MeasuredConditions.Difference, _ measured: MeasuredConditions, _ options: GenerationOptions,
    _ chat: Chat? = nil
  ) -> String {
    let penalties = options.penalties
    switch difference {
    case .temperature:
      return
        "temperature \(NumberFormat.parameter(measured.temperature)) (here \(NumberFormat.parameter(options.sampling.temperature)))"
    case .filters: return "draws from all tokens (here they are filtered)"
    case .repetitionPenalty:
      return "no repetition penalty (here \(NumberFormat.parameter(penalties.repetition)))"
    case .frequencyPenalty:
      return "no frequency penalty (here \(NumberFormat.parameter(penalties.frequency)))"
    case .presencePenalty: return "no presence penalty (here \(NumberFormat.parameter(penalties.presence)))"
    case .logitBias:
      return "no bias on tokens (here on \(NumberFormat.counted(options.bias.count, "token")))"
    case .minTokens:
      return
        "replies that end where the model ends them (here not before \(NumberFormat.counted(options.minimumTokens, "token")))"
    case .format: return "free text (here it has to keep to a schema or grammar)"
    case .ignoreEOS: return "replies that end where the model ends them (here it cannot)"
    case .contrastFrom:
      return
        "--contrast-from \(measured.contrastStart.rawValue) (here \(options.contrastStart.rawValue))"
    case .system:
      let here = chat?.systemPrompt == nil ? "none" : measured.system == nil ? "there is one" : "another"
      return "\(words(measured.system)) (here \(here))"
    case .messages: return "single questions (here earlier turns, too)"
    case .prefill: return "replies that the model begins (here begun for it)"
    case .template: return "the model's chat template (here none)"
    case .maxTokens:
      return
        "replies of at most \(NumberFormat.counted(measured.maximumTokens, "token")) (here \(options.maximumTokens))"
    }
  }
}
