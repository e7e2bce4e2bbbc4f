import Foundation

/// What a way of decoding does to replies besides refusing: figures that should not move on prompts that were fine.
public struct ReplyDamage: Codable, Sendable, Hashable {
  /// Words of a reply, as white space separates them, on average: "I'd" is one.
  public var words: Double
  /// The share of word 4-grams that repeat an earlier one of the same reply ("seq-rep-4", Welleck et al., arXiv
  /// 1908.04319), averaged over replies of four words or more.
  public var repetition: Double
  /// Replies without a word.
  public var empty: Int
  /// The share of replies that are the plain model's, letter for letter; nil where the run has no plain condition.
  public var unchanged: Double?
  /// The share of replies that hold the expected answer as whole words, of those whose prompt has one (a column
  /// `answer`); nil where none has.
  public var answered: Double?
  /// Perplexity of the first tokens under the plain lane; nil for conditions that have none.
  public var perplexity: Double?

  /// Measures `replies`. `plain` are the plain model's texts by sample, where they are known.
  init(_ replies: [EvaluatedReply], plain: [ReplyKey: String]) {
    let words = replies.map { Self.words($0.text) }
    let count = Double(max(1, replies.count))
    self.words =
      Double(replies.reduce(0) { $0 + $1.text.split(whereSeparator: \.isWhitespace).count }) / count
    let rates = words.compactMap(Self.repetition)
    repetition = rates.isEmpty ? 0 : rates.reduce(0, +) / Double(rates.count)
    empty = words.count(where: \.isEmpty)

    let pairs = replies.compactMap { reply in plain[reply.key.withoutCondition].map { (reply.text, $0) } }
    unchanged = pairs.isEmpty ? nil : Double(pairs.count { $0.0 == $0.1 }) / Double(pairs.count)

    let expected = zip(replies, words).compactMap { reply, words in
      reply.sample.answer.map { Self.contains(words, Self.words($0)) }
    }
    answered = expected.isEmpty ? nil : Double(expected.count { $0 }) / Double(expected.count)

    let logs = replies.flatMap(\.plainLogProbabilities)
    perplexity = logs.isEmpty ? nil : exp(-logs.reduce(0, +) / Double(logs.count))
  }

  /// Lower case, letters and digits only, as answer matching has it (Rajpurkar et al., arXiv 1606.05250).
  static func words(_ text: String) -> [Substring] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }
  }

  static func repetition(_ words: [Substring]) -> Double? {
    guard words.count >= 4 else { return nil }
    let grams = (0...(words.count - 4)).map { words[$0..<($0 + 4)] }
    return 1 - Double(Set(grams).count) / Double(grams.count)
  }

  private static func contains(_ words: [Substring], _ answer: [Substring]) -> Bool {
    guard !answer.isEmpty, words.count >= answer.count else { return false }
    return (0...(words.count - answer.count)).contains { words[$0..<($0 + answer.count)] == answer[...] }
  }
}
