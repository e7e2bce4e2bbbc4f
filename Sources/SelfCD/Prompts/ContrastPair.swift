/// The two prompts that Self-Contrastive Decoding compares, built from one chat.
///
/// *Guarded* is the chat with the safety emphasis added, by default in its system prompt, *plain* the same chat without
/// it (arXiv 2401.17633, section 4). The caller's own system prompt stays in BOTH: contrasting it away would
/// remove the deployer's instructions along with the over-refusal.
public struct ContrastPair: Sendable, Hashable {
  /// The chat with the safety emphasis, where that says that it stands.
  public let guarded: Chat
  /// The same chat without the emphasis; its system prompt is the caller's own, or the one that replaces it.
  public let plain: Chat

  /// - Parameters:
  ///   - chat: any chat, multi-turn or not, with or without a system prompt of its own.
  ///   - emphasis: what the guarded lane is told in addition, and where (``SafetyEmphasis/position``).
  ///   - plainSystem: replaces the plain lane's system prompt; for callers whose own system prompt already
  ///     stresses safety, so that "without the emphasis" means something. An empty text removes it.
  public init(chat: Chat, emphasis: SafetyEmphasis, plainSystem: String? = nil) {
    guarded = chat.adding(emphasis)
    plain = plainSystem.map { chat.replacingSystemPrompt(with: $0) } ?? chat
  }
}
