/// When contrast, and the count of a strategy's first k tokens, begins on a model that reasons before it answers.
public enum ContrastStart: String, Codable, Sendable, Hashable, CaseIterable {
  /// With the first generated token, reasoning included.
  case reasoning
  /// With the first token of the final answer; the reasoning is decoded as in the guarded lane.
  case answer
}
