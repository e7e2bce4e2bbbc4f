import SelfCD
import SelfCDLlamaServer
import SelfCDServer

/// How the models of a server decode where clients ask for nothing: what `generate` says, said at start.
enum ServedDecodingNotes {
  /// The remarks on each model. A profile that cannot be read any more is the server's own error, and left out here.
  static func lines(_ providers: [LlamaModelProvider], policy: ServerPolicy, isAsked: Bool) -> [String] {
    let options = GenerationOptions(
      sampling: SamplingParameters(temperature: policy.defaultTemperature),
      maximumTokens: policy.defaultMaximumTokens)
    return providers.flatMap { provider in
      let profile = isAsked ? nil : (try? provider.calibrationProfiles())?.first.map(LoadedProfile.init)
      let choice =
        profile.map { DecodingChoice(profile: $0) }
        ?? DecodingChoice(strategy: policy.defaultStrategy, source: isAsked ? .asked : .usual)
      var lines = DecodingNotes.lines(choice, options: options, system: .clients)
      // The operator sees what is in force even where there is nothing to warn of.
      if lines.isEmpty { lines = ["decodes \(StrategyTitle.of(choice.strategy)), as --strategy says."] }
      return lines.map { "\(TerminalText.singleLine(provider.name)): \($0)" }
    }
  }
}
