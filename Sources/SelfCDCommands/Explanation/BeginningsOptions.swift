import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDExplain
import SelfCDLlama
import SelfCDStore

/// Where it is learned how the model's refusals begin.
struct BeginningsOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      Learn how this model's refusals begin from a stored run of it, instead of from replies to the bundled prompts. \
      See 'selfcd runs'.
      """, valueName: "name"))
  var run: String?

  @Option(help: .init("Bundled prompts of each kind to learn from.", valueName: "n"))
  var learnPrompts = 40

  @Flag(help: "Learn anew even if it was learned before.")
  var relearn = false

  @OptionGroup var storeOptions: StoreOptions

  func validate() throws {
    guard learnPrompts >= 1 else { throw ValidationError("--learn-prompts must be 1 or more.") }
    if run != nil, relearn { throw ValidationError("--relearn has no effect with --run.") }
  }

  /// The prompts to learn from: both kinds around the same words, and harmless ones without such words.
  func datasets() throws -> [Dataset] {
    let benchmark = try BundledBenchmark()
    let pairs = BundledBenchmark.Selection(parts: [.pairs])
    let plain = BundledBenchmark.Selection(parts: [.plain])
    return try [(Sample.Label.safe, pairs), (.harmful, pairs), (.safe, plain)].flatMap { label, selection in
      DatasetOptions.limited(
        [try benchmark.dataset(labelled: label, selection: selection)], to: learnPrompts)
    }
  }

  /// Learns, or takes what was learned before.
  func beginnings(
    of loaded: LoadedModel, model: ChatModel, views: [RefusalProbe.View], system: String?,
    judge: any ReplyJudge, templateOptions: [String], console: Console
  ) async throws -> RefusalBeginnings {
    let sha256 = try Provenance.sha256(ofFile: loaded.model.path)
    if let run {
      return try fromRun(run, sha256: sha256, judge: judge, vocabulary: loaded.vocabulary, console: console)
    }
    let learner = BeginningsLearner(datasets: try datasets(), views: views, system: system, judge: judge)
    let key = BeginningsCache.Key(
      modelSHA256: sha256, templateOptions: templateOptions,
      datasets: learner.datasets.map { "\($0.name) \($0.sha256) \($0.samples.count)" },
      views: try views.map { "\($0.name) \(try CanonicalJSON.text($0.strategy))" }, system: system,
      judge: "\(judge.name)@\(judge.version)", limits: learner.limits, maximumTokens: learner.maximumTokens,
      repetitions: learner.repetitions, seed: learner.seed)
    let cache = BeginningsCache()
    if !relearn, let known = try cache.stored(for: key) { return known }
    let learned = try await ExplainSession.interruptible(label: "learning how refusals begin") { progress in
      try await learner.learn(model, vocabulary: loaded.vocabulary) {
        progress(Double($0.done) / Double(max(1, $0.planned)))
      }
    }
    try cache.store(learned, for: key, console: console)
    return learned
  }

  private func fromRun(
    _ name: String, sha256: String, judge: any ReplyJudge, vocabulary: LlamaVocabulary, console: Console
  ) throws -> RefusalBeginnings {
    let store = try storeOptions.openExisting()
    guard let id = try StoredRun.identifiers([name], in: store).first else { throw CommandError.interrupted }
    let record = try store.run(id: id)
    guard record.model.sha256 == sha256 else {
      throw CommandError.invalid(
        "Run '\(id)' is of another model (\(record.model.name)). Name its model with --model, or another run."
      )
    }
    let limits = RefusalBeginnings.Limits()
    var replies: [RefusalBeginnings.JudgedReply] = []
    try store.forEachReply(runID: id, withSteps: true) { reply, _, _ in
      guard let verdict = reply.verdicts.last(where: { $0.judge == judge.name }) else { return }
      // Replies whose steps were not kept say nothing about tokens.
      guard !reply.steps.isEmpty else { return }
      replies.append(
        .init(
          tokens: reply.steps.prefix(limits.depth).compactMap { TokenID(exactly: $0.token) },
          isRefusal: verdict.verdict.isRefusal))
    }
    guard !replies.isEmpty else {
      throw CommandError.invalid(
        "Run '\(id)' has no replies with kept steps that \(judge.name) has judged. Judge it with 'selfcd judge', or "
          + "make it with --recorded-steps above 0.")
    }
    return try RefusalBeginnings(
      learningFrom: replies, limits: limits, judge: judge.name,
      source: "\(replies.count) replies of run \(id)",
      text: { tokens in String(decoding: tokens.flatMap(vocabulary.bytes), as: UTF8.self) })
  }
}
