import SelfCD
import SelfCDEval
import SelfCDSupport

/// What has to be said once of how a model decodes, in the same words wherever it decodes.
enum DecodingNotes {
  /// Whose system prompts the model sees.
  enum SystemPrompts {
    /// The command's own; nil for none.
    case own(String?)
    /// Those that clients of a server send.
    case clients
  }

  /// The remarks, most important first; none where the user asked for decoding without contrast.
  /// - Parameters:
  ///   - choice: how it decodes.
  ///   - options: how long it answers and how it draws.
  ///   - system: whose system prompts it sees.
  static func lines(
    _ choice: DecodingChoice, options: GenerationOptions, system: SystemPrompts
  ) -> [String] {
    switch choice.source {
    case .profile(let profile):
      return [profile.statement] + [conditions(of: profile, options, system)].compactMap(\.self)
    case .usual: return [usual(choice.strategy)]
    case .asked: return asked(choice.strategy, system)
    }
  }

  /// - Parameter chat: what is asked, without which nobody can say whether the lanes are equal.
  static func print(
    _ choice: DecodingChoice, options: GenerationOptions, chat: Chat, console: Console
  ) {
    for line in lines(choice, options: options, system: .own(chat.systemPrompt)) { console.note(line) }
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
    if case .own(let prompt) = system {
      let lanes = strategy.lanes(for: Chat(question: "", system: prompt))
      if lanes.count == 2, lanes[0].chat == lanes[1].chat {
        lines.append("the guarded and the plain prompt are equal, so there is nothing to contrast.")
      }
    }
    lines.append(
      "\(StrategyTitle.of(strategy)) is not calibrated for this model: contrast can also lose refusals of harmful requests "
        + "(docs/safety.md, 'selfcd calibrate').")
    return lines
  }

  /// What changes scores behind the strategy; 'selfcd calibrate' has none of it.
  private static func additions(_ options: GenerationOptions) -> [String] {
    let penalties = [
      ("repetition", options.penalties.set(\.repetition)),
      ("frequency", options.penalties.set(\.frequency)),
      ("presence", options.penalties.set(\.presence)),
    ]
    var additions = penalties.compactMap { name, value in
      value.map { "no \(name) penalty (here \(NumberFormat.parameter($0)))" }
    }
    if !options.bias.isEmpty {
      let count = NumberFormat.counted(options.bias.count, "token", "tokens")
      additions.append("no bias on tokens (here on \(count))")
    }
    if options.ignoresEnd {
      additions.append("replies that end where the model ends them (here it cannot)")
    } else if options.minimumTokens > 0 {
      additions.append(
        "replies that end where the model ends them (here not before \(options.minimumTokens) tokens)")
    }
    return additions
  }

  /// Where a profile is used otherwise than it was calibrated.
  private static func conditions(
    of profile: LoadedProfile, _ options: GenerationOptions, _ system: SystemPrompts
  ) -> String? {
    let measured = profile.profile.generation
    var differences: [String] = []
    if options.maximumTokens > measured.maxTokens {
      differences.append(
        "replies of at most \(NumberFormat.counted(measured.maxTokens, "token")) (here \(options.maximumTokens))"
      )
    }
    let temperature = CalibrationProfile.Generation(options, system: nil).temperature
    if temperature != measured.temperature {
      differences.append(
        "temperature \(NumberFormat.parameter(Float(measured.temperature))) (here \(NumberFormat.parameter(Float(temperature))))"
      )
    }
    differences += additions(options)
    let measuredSystem = measured.system == nil ? "no system prompt" : "a system prompt of its own"
    switch system {
    case .own(let prompt) where prompt != measured.system:
      differences.append(
        "\(measuredSystem) (here \(prompt == nil ? "none" : measured.system == nil ? "there is one" : "another"))"
      )
    case .clients: differences.append("\(measuredSystem) (here clients may send any)")
    case .own: break
    }
    if options.contrastStart.rawValue != measured.contrastFrom {
      differences.append("--contrast-from \(measured.contrastFrom) (here \(options.contrastStart.rawValue))")
    }
    guard !differences.isEmpty else { return nil }
    return
      "that was measured under other conditions and need not hold here: \(differences.joined(separator: ", "))."
  }
}
