import SelfCD

/// Ways in which refusals of chat models commonly begin, in English: what an explanation goes by before enough of a
/// model's own replies are known.
public enum RefusalOpenings {
  /// The openings. None begins like another one with more words behind it.
  public static let english: [String] = {
    let first = [
      "I cannot", "I can not", "I will not", "I must decline", "I refuse", "I decline", "I apologize",
    ]
    let contracted = [
      "I can't", "I won't", "I'm sorry", "I'm not able", "I'm unable", "I'm afraid", "It's not appropriate",
    ]
    let others = [
      "I am sorry", "I am not able", "I am unable", "I am afraid", "It is not appropriate", "Sorry",
      "My apologies",
      "Apologies", "Unfortunately", "As an AI",
    ]
    // Models write either apostrophe.
    return first + contracted + contracted.map { $0.replacing("'", with: "’") } + others
  }()
}

extension RefusalBeginnings {
  /// Beginnings of refusals from a list that is not the model's own; every other beginning counts as an answer.
  ///
  /// Each counts by the probability that the model itself gives it, so that what this model never says weighs nothing.
  /// - Parameters:
  ///   - openings: How refusals begin.
  ///   - limits: Openings are cut to their depth.
  ///   - tokens: The model's tokens of a reply.
  /// - Throws: What the tokenizer throws; ``ExplanationError/noRefusals(replies:)`` without any opening.
  public init(
    general openings: [String] = RefusalOpenings.english, limits: Limits = Limits(),
    tokens: (String) throws -> [TokenID]
  ) throws {
    let known = try openings.map { (text: $0, tokens: Array(try tokens($0).prefix(limits.depth))) }
      .filter { !$0.tokens.isEmpty }
    // One that begins like a shorter one would be counted twice.
    let shortest = known.enumerated().filter { index, opening in
      !known.enumerated().contains { other, candidate in
        opening.tokens.starts(with: candidate.tokens)
          && (candidate.tokens.count < opening.tokens.count || other < index)
      }
    }.map(\.element)
    guard !shortest.isEmpty else { throw ExplanationError.noRefusals(replies: 0) }
    self.init(
      origin: .general,
      beginnings: shortest.map {
        Beginning(tokens: $0.tokens, text: $0.text, refused: 0, replies: 0, share: 1)
      },
      replies: 0, refused: 0, judge: "none",
      source: "a general list of \(shortest.count) English openings of refusals")
  }
}
