import ArgumentParser
import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDExplain
import SelfCDJudges
import SelfCDLlama
import SelfCDStore
import SelfCDSupport

/// Where it is learned how the model's refusals begin.
struct BeginningsOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      Learn how this model's refusals begin from a stored run of it, instead of from replies to the bundled prompts. \
      See 'selfcd runs'.
      """, valueName: "name"))
  var run: String?

  @Option(
    help: .init("Bundled prompts of each of three kinds that there are to learn from.", valueName: "n"))
  var learnPrompts = 40

  @Option(
    help: .init(
      """
      Seconds to spend on learning how this model's refusals begin, 'all' to learn from every prompt, 0 to learn \
      nothing new; \(LearnTime.usual) for a question and all for files if not given. What is learned is kept, and the \
      next explanation goes on from there.
      """, valueName: "seconds"))
  var learnTime: LearnTime?

  @Flag(help: "Forget what was learned before, and begin anew.")
  var relearn = false

  @OptionGroup var storeOptions: StoreOptions

  func validate() throws {
    guard learnPrompts >= 1 else { throw ValidationError("--learn-prompts must be 1 or more.") }
    if run != nil, relearn || learnTime != nil {
      throw ValidationError("--relearn and --learn-time have no effect with --run.")
    }
  }

  /// The prompts to learn from: both kinds around the same words, and harmless ones without such words.
  func datasets() throws -> [Dataset] {
    let benchmark = try BundledBenchmark()
    let pairs = BundledBenchmark.Selection(parts: [.pairs])
    let plain = BundledBenchmark.Selection(parts: [.plain])
    return try [(Sample.Label.safe, pairs), (.harmful, pairs), (.safe, plain)].flatMap { label, selection in
      [try benchmark.dataset(labelled: label, selection: selection)].limited(to: learnPrompts)
    }
  }

  /// Learns within the time allowed, and says how refusals begin as well as that is known then.
  /// - Parameter time: How long to learn if the option does not say.
  func beginnings(
    of loaded: LoadedModel, model: ChatModel, renderer: any ReplyTokenizer, views: [RefusalProbe.View],
    system: String?, judge: any ReplyJudge, templateOptions: [String], time: LearnTime, console: Console
  ) async throws -> RefusalBeginnings {
    let sha256 = try ModelIdentity(path: loaded.model.path, adapters: loaded.model.options.adapters).sha256
    if let run {
      return try fromRun(run, sha256: sha256, judge: judge, vocabulary: loaded.vocabulary, console: console)
    }
    let learner = BeginningsLearner(datasets: try datasets(), views: views, system: system, judge: judge)
    let key = BeginningsCache.Key(
      modelSHA256: sha256, templateOptions: templateOptions,
      datasets: learner.datasets.map { "\($0.name) \($0.sha256)" },
      views: try views.map { "\($0.name) \(try CanonicalJSON.text($0.strategy))" }, system: system,
      judge: "\(judge.name)@\(judge.version)", limits: learner.limits, maximumTokens: learner.maximumTokens,
      repetitions: learner.repetitions, seed: learner.seed)
    let cache = BeginningsCache()
    if relearn { try cache.remove(for: key) }
    let learned = try await learn(
      learner, model, known: try cache.stored(for: key), within: (learnTime ?? time).limit
    ) { try cache.add($0, for: key, console: console) }
    // As the next explanation finds them, with what another program may have added meanwhile.
    let replies = learner.planned(among: try cache.stored(for: key) + learned)
    if replies.count < learner.plan.planned {
      console.note(
        "\(replies.count) of \(NumberFormat.counted(learner.plan.planned, "reply", "replies")) "
          + "\(replies.count == 1 ? "is" : "are") known from which it is learned how this model's refusals "
          + "begin. The next explanation adds more; --learn-time all learns from all of them now.")
    }
    let general = try RefusalBeginnings(general: RefusalOpenings.english) { try renderer.tokens(ofReply: $0) }
    return learner.beginnings(from: replies, or: general, vocabulary: loaded.vocabulary)
  }

  private func learn(
    _ learner: BeginningsLearner, _ model: ChatModel, known: [LearnedReply], within limit: Duration?,
    keep: @escaping @Sendable ([LearnedReply]) throws -> Bool
  ) async throws -> [LearnedReply] {
    try await ExplainSession.interruptible(
      label: "learning how refusals begin:",
      leaving:
        "what was learned from the prompts that are finished is kept, and the next explanation goes on from there."
    ) { meter in
      var canKeep = true
      return try await learner.learn(
        model, known: known, within: limit,
        keep: { replies in if canKeep { canKeep = try keep(replies) } },
        progress: { state in
          let text = LearnTime.progress(state, within: limit)
          if state.elapsed < .milliseconds(500), state.generated == 0 {
            meter.begin(text: text)
          } else {
            meter.update(text: text)
          }
        })
    }
  }

  private func fromRun(
    _ name: String, sha256: String, judge: any ReplyJudge, vocabulary: LlamaVocabulary, console: Console
  ) throws -> RefusalBeginnings {
    let store = try storeOptions.openExisting()
    let id = try store.identifier(matching: name)
    let record = try store.run(id: id)
    guard record.model.sha256 == sha256 else {
      throw CommandError.invalid(
        "Run '\(id)' is of another model (\(record.model.name)). Name its model with --model, or another run."
      )
    }
    let limits = RefusalBeginnings.Limits()
    // Verdicts of two versions of a judge do not mix.
    let versions = try store.judges(runID: id).filter { $0.name == judge.name }
    let version = JudgeVersions.counted(
      Dictionary(versions.map { ($0.version, $0.verdicts) }, uniquingKeysWith: { $1 }))
    var replies: [RefusalBeginnings.JudgedReply] = []
    try store.forEachReply(runID: id) { reply, _ in
      guard let judgement = reply.judgements.last(where: { $0.judge == judge.name && $0.version == version })
      else { return }
      // Replies whose steps were not kept say nothing about tokens.
      guard !reply.steps.isEmpty else { return }
      replies.append(
        .init(
          tokens: reply.steps.prefix(limits.depth).map(\.token),
          isRefusal: judgement.verdict.isRefusal, prompt: "\(reply.key.dataset) \(reply.key.sample)"))
    }
    guard !replies.isEmpty else {
      throw CommandError.invalid(
        "Run '\(id)' has no replies with kept steps that \(judge.name) has judged. Judge it with 'selfcd judge', or "
          + "make it with --recorded-steps above 0.")
    }
    var learned = try RefusalBeginnings(
      learningFrom: replies, limits: limits, judge: judge.name,
      source: "\(NumberFormat.counted(replies.count, "reply", "replies")) of run \(id)",
      text: { tokens in String(decoding: tokens.flatMap(vocabulary.bytes), as: UTF8.self) })
    learned.quality = BeginningsQuality(learningFrom: replies, limits: limits)
    return learned
  }
}
