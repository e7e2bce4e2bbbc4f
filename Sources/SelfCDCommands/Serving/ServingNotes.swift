import SelfCDServer
import SelfCDSupport

/// Where to find what a server offers, and what its clients may choose: said once at start. And what happens at its end.
enum ServingNotes {
  /// What a server is reached at, without a slash at its end: `http://host:port`, or the path of a Unix socket.
  /// - Parameters:
  ///   - settings: the server's.
  ///   - port: the one that it listens on.
  static func address(_ settings: ServerSettings, port: Int) -> String {
    if let path = settings.unixSocket { return "unix:\(TerminalText.singleLine(path))" }
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    return "http://\(host):\(port)"
  }

  /// - Parameters:
  ///   - server: the one that serves.
  ///   - address: the server's, without a slash at its end.
  static func lines(_ server: InferenceServer, address: String) -> [String] {
    let page = server.hasPlayground ? "playground \(address)/, " : ""
    let paths =
      address.hasPrefix("unix:")
      ? "for clients http://localhost/v1 over this socket"
      : "\(page)metrics \(address)/metrics, for clients \(address)/v1"
    return [paths] + choices(server)
  }

  /// What clients of each model may choose.
  static func choices(_ server: InferenceServer) -> [String] { server.choices.map(line) }

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
