/// Where a safety emphasis stands in the guarded lane's prompt.
///
/// The lanes are the same up to it, and what they share is computed once: the later it stands, the less the guarded
/// lane costs before the first token. A model does not weigh a text alike in every place, so that a setting is
/// calibrated for one of them.
public enum EmphasisPosition: String, Codable, Sendable, Hashable, CaseIterable {
  /// Before the application's own system prompt, as in the Self-CD paper (arXiv 2401.17633). The lanes share hardly more
  /// than what the template writes before a system prompt.
  case start
  /// Behind the application's own system prompt, in the same message. The lanes share that prompt.
  case afterSystem = "after-system"
  /// Behind the text of the user's last turn, in the same message. The lanes share all that was said, the last question
  /// and documents in it included.
  case lastTurn = "last-turn"
}

extension Chat {
  /// The chat with `emphasis` put where it says (``SafetyEmphasis/position``); an empty line parts it from what stands
  /// there.
  ///
  /// Without a system prompt ``EmphasisPosition/start`` and ``EmphasisPosition/afterSystem`` are the same. Where no user
  /// speaks, ``EmphasisPosition/lastTurn`` is the last message.
  public func adding(_ emphasis: SafetyEmphasis) -> Chat {
    guard !emphasis.text.isEmpty else { return self }
    switch emphasis.position {
    case .start:
      return replacingSystemPrompt(with: Self.joined([emphasis.text, systemPrompt]))
    case .afterSystem:
      return replacingSystemPrompt(with: Self.joined([systemPrompt, emphasis.text]))
    case .lastTurn:
      guard let last = messages.lastIndex(where: { $0.role == .user }) ?? messages.indices.last else {
        return replacingSystemPrompt(with: emphasis.text)
      }
      var chat = self
      chat.messages[last].content = Self.joined([messages[last].content, emphasis.text])
      return chat
    }
  }

  private static func joined(_ texts: [String?]) -> String {
    texts.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
}

extension StrategyParameter {
  /// Where the safety prompt of the guarded lane stands: ``SafetyEmphasis/position``.
  public static let emphasisPosition = StrategyParameter(
    "emphasis_position", .choice(EmphasisPosition.allCases.map(\.rawValue)),
    help: """
      Where the safety prompt stands: before the system prompt, behind it, or behind the last question. The lanes share \
      what stands before it.
      """)
}

extension StrategyParameters {
  /// Where the safety prompt of the guarded lane stands.
  public var emphasisPosition: EmphasisPosition? {
    get { choice(.emphasisPosition).flatMap(EmphasisPosition.init(rawValue:)) }
    set { self[.emphasisPosition] = newValue.map { .choice($0.rawValue) } }
  }

  /// The safety prompt of the guarded lane, at the position that is given. To set one that does not stand at the start
  /// gives the position, too; else the position stays as it is.
  public var emphasis: SafetyEmphasis? {
    get { safetyPrompt(.emphasis).map(placed) }
    set {
      self[.emphasis] = newValue.map { .safetyPrompt($0.placed(.start)) }
      if let position = newValue?.position, position != .start { emphasisPosition = position }
    }
  }

  /// The safety prompt that is given, or else `usual`; at the position that is given.
  public func emphasis(or usual: SafetyEmphasis) -> SafetyEmphasis { emphasis ?? placed(usual) }

  private func placed(_ emphasis: SafetyEmphasis) -> SafetyEmphasis {
    emphasisPosition.map(emphasis.placed) ?? emphasis
  }
}
