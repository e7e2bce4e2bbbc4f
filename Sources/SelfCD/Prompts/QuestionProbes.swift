/// Shortened copies of a question, to see whether a model still refuses what is left of it.
///
/// The idea is that of erase-and-check (Kumar et al., arXiv 2309.02705): what makes a request harmful survives when
/// words around it are taken away. There a safety filter looks at the shortened copies; here it is the model itself.
/// The copies drop 1, 2, … words from the front, where a question says how it asks rather than what for, and begin
/// with a few neutral words, so that what is left reads as a request.
struct QuestionProbes: Sendable, Hashable {
  /// Dropping a few words of a longer text changes little and costs its whole length each time.
  static let longestQuestion = 64
  /// One word alone is rarely a request.
  private static let fewestWords = 2

  /// How many copies at most.
  let count: Int
  /// What each copy begins with.
  let opening: String

  /// The chat with its last question shortened, once per copy; none for a question of fewer than 3 words or more
  /// than ``longestQuestion``.
  func copies(of chat: Chat) -> [Chat] {
    guard count > 0, let last = chat.messages.lastIndex(where: { $0.role == .user }) else { return [] }
    let question = chat.messages[last].content
    let words = question.split(whereSeparator: \.isWhitespace)
    guard words.count <= Self.longestQuestion else { return [] }
    return words.dropFirst().dropLast(Self.fewestWords - 1).prefix(count).map { word in
      var copy = chat
      copy.messages[last].content = opening + question[word.startIndex...]
      return copy
    }
  }
}
