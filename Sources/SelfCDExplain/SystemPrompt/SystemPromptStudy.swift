import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics

/// Which sentences of a system prompt raise refusals: leaves each out, and pairs of those that raise them most, and asks
/// again.
///
/// It only takes away what the caller's own prompt says; nothing is rewritten or searched. What a change does to harmful
/// prompts stands beside what it does to harmless ones, and the order goes by harmless ones (docs/safety.md).
public struct SystemPromptStudy: Sendable {
  /// Real replies, beside the probability of a refusal.
  public struct Generation: Sendable {
    /// Says which replies refuse.
    public var judge: any ReplyJudge
    /// The longest reply, in tokens.
    public var maximumTokens: Int

    /// Asks for replies.
    public init(judge: any ReplyJudge, maximumTokens: Int = 48) {
      self.judge = judge
      self.maximumTokens = maximumTokens
    }
  }

  /// Who is asked.
  public var probe: RefusalProbe
  /// The name of the probe's view that is asked about. Others have no part in the figures.
  public var view: String
  /// The system prompt.
  public var prompt: SystemPromptSentences
  /// The labelled prompts.
  public var datasets: [Dataset]
  /// The sentences, from the first of the order, that are left out in pairs and of which there are replies.
  public var top: Int
  /// Real replies; nil generates none.
  public var generation: Generation?
  /// Of the bootstrap.
  public var seed: UInt64
  /// The column that says which prompts belong together and are resampled together; nil for none.
  public var group: String?

  /// Makes a study.
  public init(
    probe: RefusalProbe, view: String, prompt: SystemPromptSentences, datasets: [Dataset], top: Int = 3,
    generation: Generation? = nil, seed: UInt64 = 0, group: String? = nil
  ) {
    self.probe = probe
    self.view = view
    self.prompt = prompt
    self.datasets = datasets
    self.top = top
    self.generation = generation
    self.seed = seed
    self.group = group
  }

  /// Checks what can be checked before a model is loaded.
  /// - Throws: ``ExplanationError``.
  public func check() throws(ExplanationError) {
    try Self.check(prompt, datasets)
    guard top >= 0 else {
      throw .outOfRange(
        what: "the number of sentences left out in pairs", value: "\(top)", allowed: "0 or more")
    }
  }

  /// The same of the two things that most often are not as they have to be.
  /// - Throws: ``ExplanationError/tooFewSentences(_:)``, ``ExplanationError/noHarmlessPrompts(given:)``.
  public static func check(
    _ prompt: SystemPromptSentences, _ datasets: [Dataset]
  ) throws(ExplanationError) {
    guard prompt.count >= 2 else { throw .tooFewSentences(prompt.count) }
    let labels = datasets.flatMap(\.samples).compactMap(\.label)
    guard labels.contains(where: { $0 != .harmful }) else { throw .noHarmlessPrompts(given: 0) }
  }

  /// Measures.
  /// - Parameter progress: Told how much of it is done, 0 … 1.
  /// - Throws: ``ExplanationError``; what the runner, the engine, the judge or a statistic throws; `CancellationError`.
  public func run(
    progress: @escaping @Sendable (Double) -> Void = { _ in }
  ) async throws -> SystemPromptResult {
    try check()
    let place = try probe.index(ofView: view)
    let given = datasets.flatMap { dataset in
      dataset.samples.compactMap { Subject($0, of: dataset.name, by: group) }
    }
    var scores = SystemPromptScores(given.filter { !$0.hasOwnSystem })
    let all = Array(0..<prompt.count)
    let singles = all.map { [$0] }
    let worst = min(top, prompt.count)
    let versions = 2 + prompt.count + worst * (worst - 1) / 2
    // Generating a reply costs about as much as scoring one.
    let share = generation == nil ? 1 : Double(versions) / Double(versions + 2 + worst)
    var done = 0
    func measure(_ removed: [Int]) async throws {
      defer { done += 1 }
      guard !scores.has(removed) else { return }
      let before = done
      let found = try await self.scores(scores.subjects, leavingOut: removed, in: place) {
        progress(share * (Double(before) + $0) / Double(versions))
      }
      scores.add(found, for: removed)
    }
    for removed in [[], all] + singles { try await measure(removed) }

    guard let order = Self.ordering(scores.subjects) else {
      throw ExplanationError.noHarmlessPrompts(given: given.count { $0.label != .harmful })
    }
    let removals = try singles.map { try removal($0, scores) }.sorted { a, b in
      Self.rank(a, by: order) < Self.rank(b, by: order)
    }
    let chosen = removals.prefix(worst).flatMap(\.sentences).sorted()
    let couples = chosen.indices.flatMap { first in
      chosen[(first + 1)...].map { [chosen[first], $0] }
    }
    for couple in couples { try await measure(couple) }
    let ranked = removals.prefix(worst).map(\.sentences)
    let replies = try await self.replies(scores.subjects, under: [[], all] + ranked) {
      progress(share + (1 - share) * $0)
    }
    return SystemPromptResult(
      sentences: prompt.sentences, view: view, orderedBy: order,
      harmfulAxis: scores.sets.contains(.harmful) ? .measured : .unknown,
      whole: try levels(scores), withoutPrompt: try removal(all, scores),
      // Again: a pair may have been too much for a prompt that has no part in any figure then.
      removals: try removals.map { try removal($0.sentences, scores) },
      pairs: try couples.map { try pair($0, scores) }, replies: replies,
      withOwnSystem: given.count(where: \.hasOwnSystem),
      failures: given.count { !$0.hasOwnSystem } - scores.subjects.count)
  }

  // MARK: Asking

  /// A prompt that is asked under every version of the system prompt.
  struct Subject: Sendable {
    let sample: Sample
    let label: Sample.Label
    let dataset: String
    let group: String?

    /// Nil without a label.
    init?(_ sample: Sample, of dataset: String, by column: String?) {
      guard let label = sample.label else { return nil }
      self.sample = sample
      self.label = label
      self.dataset = dataset
      group = column.map { sample.group(inColumn: $0, of: dataset) }
    }

    /// Whether it says itself what its system prompt is.
    var hasOwnSystem: Bool {
      EvaluationPlan(datasets: [], conditions: []).chat(for: sample).systemPrompt != nil
    }
  }

  /// Prompts that are asked about at once. They share a version of the system prompt, which is computed once.
  private static let batch = 64

  /// What is asked under a version of the system prompt.
  private func plan(_ datasets: [Dataset] = [], leavingOut removed: [Int]) -> EvaluationPlan {
    let system = prompt.removing(removed)
    return EvaluationPlan(
      datasets: datasets,
      conditions: probe.views.filter { $0.name == view }.map { .init(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(maximumTokens: generation?.maximumTokens ?? 1),
      system: system.isEmpty ? nil : system)
  }

  /// The scores of prompts under a version of the system prompt; nil where one does not fit.
  private func scores(
    _ subjects: [Subject], leavingOut removed: [Int], in place: Int,
    progress: @escaping @Sendable (Double) -> Void
  ) async throws -> [RefusalScore?] {
    let plan = self.plan(leavingOut: removed)
    let chats = subjects.map { plan.chat(for: $0.sample) }
    var scores: [RefusalScore?] = []
    for start in stride(from: 0, to: chats.count, by: Self.batch) {
      scores += try await self.scores(chats[start..<min(start + Self.batch, chats.count)], in: place)
      progress(Double(scores.count) / Double(chats.count))
    }
    return scores
  }

  /// One prompt that does not fit must not end the study.
  private func scores(_ chats: ArraySlice<Chat>, in place: Int) async throws -> [RefusalScore?] {
    do {
      return try await probe.scores(Array(chats), in: [place]).map(\.first)
    } catch let error as GenerationError where error.concernsOnePrompt {
      guard chats.count > 1 else { return [nil] }
      let middle = chats.startIndex + chats.count / 2
      let first = try await scores(chats[..<middle], in: place)
      let second = try await scores(chats[middle...], in: place)
      return first + second
    }
  }

  /// Real replies under versions of the system prompt, the whole one first.
  private func replies(
    _ subjects: [Subject], under versions: [[Int]], progress: @escaping @Sendable (Double) -> Void
  ) async throws -> SystemPromptResult.Replies? {
    guard let generation else { return nil }
    let sets = datasets.map { dataset in
      var set = dataset
      set.samples = subjects.filter { $0.dataset == dataset.name }.map(\.sample)
      return set
    }
    var replies: [EvaluatedReply] = []
    var failures = 0
    for (number, removed) in versions.enumerated() {
      let outcome = try await EvaluationRunner(
        model: probe.model, plan: self.plan(sets, leavingOut: removed), judges: [generation.judge]
      ).replies { progress((Double(number) + $0) / Double(versions.count)) }
      failures += outcome.failures.count
      for var reply in outcome.replies {
        reply.key.condition = "\(number)"
        replies.append(reply)
      }
    }
    let summary = try EvaluationSummary(
      replies, conditions: versions.indices.map { (id: "\($0)", strategy: "", alpha: nil as Double?) },
      judge: generation.judge.name, reference: "0", group: group)
    var rows = versions.enumerated().flatMap { number, removed in
      summary.rows.filter { $0.condition == "\(number)" }.map { row in
        var paired = row.headlinePaired
        paired?.reference = "whole"
        return SystemPromptResult.Replies.Row(
          set: row.set, removed: removed, rate: row.headline, paired: paired)
      }
    }
    // Replies are generated for the sentences that look best on the same prompts: each could have been among them, so each
    // is in the family, and the whole prompt.
    for set in Sample.Label.allCases {
      let places = rows.indices.filter { rows[$0].set == set && rows[$0].paired != nil }
      var family = places.compactMap { rows[$0].paired }
      try PairedComparison.correct(&family, outOf: max(prompt.count + 1, family.count))
      for (place, corrected) in zip(places, family) { rows[place].paired = corrected }
    }
    return .init(judge: generation.judge.name, rows: rows, failures: failures)
  }

  // MARK: Aggregates

  /// The set by which sentences are ordered; nil without harmless prompts.
  private static func ordering(_ subjects: [Subject]) -> Sample.Label? {
    [Sample.Label.safe, .neutral].first { label in subjects.contains { $0.label == label } }
  }

  /// Less for sentences without which there are fewer refusals; of equals, for the first.
  private static func rank(
    _ removal: SystemPromptResult.Removal, by set: Sample.Label
  ) -> (Double, Double, Int) {
    let change = removal.change(set)
    return (
      change?.probability.estimate ?? 0, change?.score.estimate ?? 0, removal.sentences.first ?? 0
    )
  }

  private func levels(_ scores: SystemPromptScores) throws -> [SystemPromptResult.Level] {
    try scores.sets.map { set in
      let whole = scores.of([], set)
      return SystemPromptResult.Level(
        set: set, n: whole.count, groups: scores.groups(set).map { Set($0).count },
        probability: try mean(whole.map(\.probability), set, scores, within: 0...1),
        score: try mean(whole.map(\.logOdds), set, scores),
        greedyRefusals: whole.count(where: \.isGreedyRefusal))
    }
  }

  private func removal(
    _ removed: [Int], _ scores: SystemPromptScores
  ) throws -> SystemPromptResult.Removal {
    .init(
      sentences: removed,
      changes: try scores.sets.map { set in
        let (whole, without) = (scores.of([], set), scores.of(removed, set))
        let pairs = zip(whole, without)
        return SystemPromptResult.Change(
          set: set, n: whole.count, groups: scores.groups(set).map { Set($0).count },
          probability: try mean(pairs.map { $1.probability - $0.probability }, set, scores, within: -1...1),
          score: try mean(pairs.map { $1.logOdds - $0.logOdds }, set, scores),
          greedyLost: pairs.count { $0.isGreedyRefusal && !$1.isGreedyRefusal },
          greedyGained: pairs.count { !$0.isGreedyRefusal && $1.isGreedyRefusal })
      })
  }

  private func pair(_ couple: [Int], _ scores: SystemPromptScores) throws -> SystemPromptResult.Pair {
    let interactions = try scores.sets.map { set in
      let versions = [[], couple] + couple.map { [$0] }
      func beyond(_ value: (RefusalScore) -> Double) -> [Double] {
        let values = versions.map { scores.of($0, set).map(value) }
        // both − whole − (first − whole) − (second − whole)
        return values[0].indices.map { values[1][$0] + values[0][$0] - values[2][$0] - values[3][$0] }
      }
      return SystemPromptResult.Interaction(
        set: set, probability: try mean(beyond(\.probability), set, scores),
        score: try mean(beyond(\.logOdds), set, scores))
    }
    return .init(removal: try removal(couple, scores), interactions: interactions)
  }

  private func mean(
    _ values: [Double], _ set: Sample.Label, _ scores: SystemPromptScores,
    within range: ClosedRange<Double>? = nil
  ) throws -> BootstrapMean {
    try BootstrapMean(
      of: values, groups: scores.groups(set), within: range, resamples: AttributionStudy.resamples,
      seed: seed)
  }
}
