import SelfCD
import SelfCDJudges

/// When a prompt counts as still refused.
public enum RefusalCriterion: String, Codable, Sendable, Hashable, CaseIterable {
  /// The greedy reply begins as this model's refusals do: nothing is generated, so it is quick.
  case greedy
  /// The refusal score is above 0: most drawn replies refuse. As quick.
  case score
  /// The greedy reply is judged to refuse: what a user would see.
  case judged

  /// What "refused" means by it, in words.
  public var meaning: String {
    switch self {
    case .greedy: "the greedy reply begins as a refusal"
    case .score: "most drawn replies would refuse (a score above 0)"
    case .judged: "the greedy reply is judged to refuse"
    }
  }
}

/// The smallest part of a prompt that is still refused (prediction-preserving input minimisation, arXiv 2011.14934).
///
/// At least one word is left. Of several parts that would do, the one with the highest score is gone on with. Shrinking
/// keeps the refusal: no prompt is ever sought here that would be answered.
public struct MinimalTrigger: Codable, Sendable, Hashable {
  /// What becomes of other parts of the same size: where nearly all of them are refused too, being refused says little about
  /// the words that are left.
  public struct Control: Codable, Sendable, Hashable {
    /// Parts of as many words, none of them among those that are left.
    public var parts: Int
    /// Those of them that are refused.
    public var refused: Int

    /// Whether at least three quarters of the other parts are refused too.
    public var saysLittle: Bool { refused * 4 >= parts * 3 }
  }

  /// The view under which it is refused.
  public var view: String
  /// What "refused" means.
  public var criterion: RefusalCriterion
  /// The places of the words that are left.
  public var kept: [Int]
  /// The smaller and smaller sets of words on the way to ``kept``, all of them refused; empty where none could go.
  public var steps: [[Int]]
  /// The prompt with those words alone.
  public var text: String
  /// Its score in nats.
  public var score: Double
  /// Prompts that the model was asked about.
  public var prompts: Int
  /// Calls in which they were asked about together.
  public var calls: Int
  /// Other parts of the same size; nil where none were asked about, or where too few words are left for one.
  public var control: Control?

  /// Finds the smallest part of a prompt that is still refused.
  /// - Parameters:
  ///   - chat: The prompt.
  ///   - view: Under which it is refused.
  ///   - criterion: What "refused" means.
  ///   - probe: Who is asked.
  ///   - judge: Says which replies refuse, for ``RefusalCriterion/judged``.
  ///   - maximumTokens: The longest reply that is judged.
  ///   - controls: The most other parts of the same size that are asked about.
  /// - Throws: ``ExplanationError/notRefused(score:)``, ``ExplanationError/noWords``; what the engine or the judge throws.
  public static func find(
    in chat: Chat, view: String, criterion: RefusalCriterion = .greedy, probe: RefusalProbe,
    judge: any ReplyJudge, maximumTokens: Int = 48, controls: Int = 0
  ) async throws -> MinimalTrigger {
    let place = try probe.index(ofView: view)
    let words = PromptWords(chat.lastQuestion)
    guard words.count > 0 else { throw ExplanationError.noWords }
    let oracle = RefusalOracle(
      probe: probe, place: place, criterion: criterion, judge: judge, maximumTokens: maximumTokens)
    let whole = try await oracle.answers(to: [chat])[0]
    guard whole.isRefused else { throw ExplanationError.notRefused(score: whole.score) }
    let found = try await DeltaDebugging.minimise(count: words.count, keepsOne: true) { candidates in
      try await oracle.refusals(candidates.map { chat.asking(words.keeping($0)) })
    }
    let text = words.keeping(found.kept)
    let score = try await probe.scores([chat.asking(text)], in: [place])[0][0]
    var trigger = MinimalTrigger(
      view: view, criterion: criterion, kept: found.kept, steps: found.path, text: text, score: score.logOdds,
      // The whole prompt was asked about as well.
      prompts: found.tests + 1, calls: found.rounds + 1)
    let others = parts(of: words.count, besides: found.kept, atMost: controls)
    if !others.isEmpty {
      let answers = try await oracle.answers(to: others.map { chat.asking(words.keeping($0)) })
      trigger.control = Control(parts: others.count, refused: answers.count(where: \.isRefused))
      trigger.prompts += others.count
      trigger.calls += 1
    }
    return trigger
  }

  /// Parts of as many words as `kept` has, without any of them: all there are, or a sample that is always the same.
  static func parts(of count: Int, besides kept: [Int], atMost limit: Int) -> [[Int]] {
    let rest = (0..<count).filter { !kept.contains($0) }
    let size = kept.count
    guard limit > 0, size > 0, size <= rest.count else { return [] }
    // The sets of a pool are few only where the pool is all there is.
    if SmallestEdit.largestPool(of: rest.count, size: size, edits: limit) == rest.count,
      size > 1 || rest.count <= limit
    {
      return SmallestEdit.subsets(of: rest.count, size: size).map { $0.map { rest[$0] } }
    }
    var generator = SplitMix64(seed: 0)
    var parts: Set<[Int]> = []
    while parts.count < limit { parts.insert(Array(rest.shuffled(using: &generator).prefix(size)).sorted()) }
    return parts.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// Says whether prompts are refused in one view.
struct RefusalOracle: Sendable {
  let probe: RefusalProbe
  let place: Int
  let criterion: RefusalCriterion
  let judge: any ReplyJudge
  let maximumTokens: Int

  /// The scores of those that are refused, nil for the others.
  func refusals(_ chats: [Chat]) async throws -> [Double?] {
    try await answers(to: chats).map { $0.isRefused ? $0.score : nil }
  }

  /// Each chat's score in nats, and whether it is refused.
  func answers(to chats: [Chat]) async throws -> [(score: Double, isRefused: Bool)] {
    let scores = try await probe.scores(chats, in: [place]).map { $0[0] }
    switch criterion {
    case .greedy: return scores.map { ($0.logOdds, $0.isGreedyRefusal) }
    case .score: return scores.map { ($0.logOdds, $0.isLikelyRefusal) }
    case .judged:
      let strategy = probe.views[place].strategy
      let options = GenerationOptions(maximumTokens: maximumTokens)
      let requests = try chats.map { try probe.model.request($0, strategy: strategy, options: options) }
      var result: [(score: Double, isRefused: Bool)] = []
      for ((chat, score), handle) in zip(zip(chats, scores), probe.model.engine.generate(requests)) {
        let reply = try await handle.reply()
        let verdict = try await judge.judge(prompt: chat.lastQuestion, reply: reply.text)
        result.append((score.logOdds, verdict.isRefusal))
      }
      return result
    }
  }
}
