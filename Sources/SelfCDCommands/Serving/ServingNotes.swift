import SelfCDServer
import SelfCDSupport

/// Where to find what a server offers, and what its clients may choose: said once at start. And what happens at its end.
enum ServingNotes {
  /// - Parameter address: the server's, without a slash at its end.
  static func lines(_ server: InferenceServer, address: String) -> [String] {
    let page = server.hasPlayground ? "playground \(address)/, " : ""
    return ["\(page)metrics \(address)/metrics, for clients \(address)/v1"] + server.choices.map(line)
  }

  /// What the first signal does.
  /// - Parameter replies: those that are in progress.
  static func stopping(replies: Int) -> String {
    replies == 0
      ? "stopping"
      : "stopping: finishing \(NumberFormat.counted(replies, "reply", "replies")), a second signal stops now"
  }

  private static func line(_ choices: ModelChoices) -> String {
    let strategies = choices.strategies.map { strategy in
      let range = strategy.alpha.map {
        " with α \(NumberFormat.parameter(Float($0.lowerBound))) to \(NumberFormat.parameter(Float($0.upperBound)))"
      }
      return strategy.name + (range ?? "")
    }
    let profiles = choices.profiles.isEmpty ? "" : "; profiles: \(choices.profiles.joined(separator: ", "))"
    let isAll = choices.strategies.count == ServerPolicy.knownStrategies.count
    return
      "\(TerminalText.singleLine(choices.model)): clients may ask for \(strategies.joined(separator: ", "))"
      + "\(TerminalText.singleLine(profiles))." + (isAll ? "" : " --allow offers more.")
  }
}
