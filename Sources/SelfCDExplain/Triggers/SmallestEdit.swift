import SelfCD
import SelfCDJudges

/// The fewest words of a prompt labelled safe that have to go, or to be replaced by a neutral one, for it to be answered.
public struct SmallestEdit: Codable, Sendable, Hashable {
  /// What is done to a word.
  public enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
    /// It is taken out.
    case removal
    /// A neutral word takes its place.
    case replacement
  }

  /// The view under which the prompt was refused.
  public var view: String
  /// What "refused" means.
  public var criterion: RefusalCriterion
  /// What was done; nil where no edit within the limit leads to an answer.
  public var kind: Kind?
  /// The places of the words it was done to.
  public var words: [Int]
  /// The prompt afterwards; nil where there is no edit.
  public var text: String?
  /// Its score in nats; without an edit the lowest that was met.
  public var score: Double
  /// Prompts that the model was asked about.
  public var prompts: Int

  /// Edits of one size that are tried at most.
  static let mostEdits = 1024

  /// Searches edits of one word, then of two, and so on; of the smallest that lead to an answer the one with the lowest
  /// score is taken.
  ///
  /// Where there would be more than 1024 edits of a size, only the words are combined that lowered the score most when
  /// they were edited alone, as many as give no more than that.
  /// - Parameters:
  ///   - prompt: Labelled safe, which is what its type says.
  ///   - view: Under which it is refused.
  ///   - criterion: What "refused" means.
  ///   - limit: The most words that are edited.
  ///   - probe: Who is asked.
  ///   - judge: Says which replies refuse, for ``RefusalCriterion/judged``.
  ///   - maximumTokens: The longest reply that is judged.
  /// - Throws: ``ExplanationError/notRefused(score:)``, ``ExplanationError/noWords``; what the engine throws.
  public static func find(
    in prompt: SafePrompt, view: String, criterion: RefusalCriterion = .greedy, limit: Int = 2,
    probe: RefusalProbe, judge: any ReplyJudge, maximumTokens: Int = 48
  ) async throws -> SmallestEdit {
    let place = try probe.index(ofView: view)
    let words = PromptWords(prompt.chat.lastQuestion)
    guard words.count > 0 else { throw ExplanationError.noWords }
    let oracle = RefusalOracle(
      probe: probe, place: place, criterion: criterion, judge: judge, maximumTokens: maximumTokens)
    let whole = try await oracle.answers(to: [prompt.chat])[0]
    guard whole.isRefused else { throw ExplanationError.notRefused(score: whole.score) }
    var prompts = 1
    var lowest = whole.score
    // The words by what editing them alone does, the most telling first.
    var order = Array(words.words.indices)
    for size in stride(from: 1, through: min(limit, words.count), by: 1) {
      let kinds = 1 + WordAttributor.fillers.count
      let pool = order.prefix(Self.largestPool(of: order.count, size: size, edits: Self.mostEdits / kinds))
        .sorted()
      let candidates = subsets(of: pool.count, size: size).map { $0.map { pool[$0] } }.flatMap { places in
        [Candidate(kind: .removal, words: places, text: words.removing(places))]
          + WordAttributor.fillers.map { filler in
            Candidate(
              kind: .replacement, words: places,
              text: words.replacing(places.reduce(into: [:]) { $0[$1] = filler }))
          }
      }
      let chats = candidates.map { prompt.chat.asking($0.text) }
      let answers = try await oracle.answers(to: chats)
      let scores = answers.map(\.score)
      prompts += candidates.count
      lowest = min(lowest, scores.min() ?? lowest)
      if size == 1 {
        var effect: [Int: Double] = [:]
        for (candidate, score) in zip(candidates, scores) {
          for word in candidate.words { effect[word] = min(effect[word] ?? .infinity, score) }
        }
        order = pool.sorted { (effect[$0] ?? .infinity, $0) < (effect[$1] ?? .infinity, $1) }
      }
      let answered = scores.indices.filter { !answers[$0].isRefused }
      guard let best = answered.min(by: { scores[$0] < scores[$1] }) else { continue }
      return SmallestEdit(
        view: view, criterion: criterion, kind: candidates[best].kind, words: candidates[best].words,
        text: candidates[best].text, score: scores[best], prompts: prompts)
    }
    return SmallestEdit(
      view: view, criterion: criterion, kind: nil, words: [], text: nil, score: lowest, prompts: prompts)
  }

  private struct Candidate {
    let kind: Kind
    let words: [Int]
    let text: String
  }

  /// The greatest number of words, up to `count`, that have no more than `edits` sets of `size`; all where they are single.
  static func largestPool(of count: Int, size: Int, edits: Int) -> Int {
    guard size > 1 else { return count }
    var pool = size
    var sets = 1
    // C(n + 1, k) = C(n, k) · (n + 1) / (n + 1 − k)
    while pool < count {
      sets = sets * (pool + 1) / (pool + 1 - size)
      if sets > edits { break }
      pool += 1
    }
    return pool
  }

  /// The sets of `size` of the numbers below `count`, in lexicographic order.
  static func subsets(of count: Int, size: Int, from start: Int = 0) -> [[Int]] {
    guard size > 0 else { return [[]] }
    guard start <= count - size else { return [] }
    return (start...(count - size)).flatMap { first in
      subsets(of: count, size: size - 1, from: first + 1).map { [first] + $0 }
    }
  }
}
