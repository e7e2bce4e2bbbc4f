import SelfCD
import SelfCDTesting
import Synchronization
import Testing

@testable import SelfCDData
@testable import SelfCDEval
@testable import SelfCDJudges

/// The run itself, on a model without weights whose logits depend on every token a lane holds: a reply that comes
/// out the same was decoded from the right lanes.
@Suite struct EvaluationRunnerTests {
  static func model(lanes: Int, context: Int = 512, journal: DecodeJournal = .init()) async throws
    -> ChatModel
  {
    let engine = try await Engine.start(stepMode: .batched) { abort in
      HistoryBackend(
        capacity: .init(lanes: lanes, context: context, batch: 64), journal: journal, abort: abort)
    }
    return ChatModel(engine: engine, renderer: ByteRenderer())
  }

  static func dataset(_ name: String, _ label: Sample.Label, _ prompts: [String]) -> Dataset {
    Dataset(
      name: name, sha256: "", format: "list",
      samples: prompts.enumerated().map {
        Sample(
          id: "\($0.offset)", content: .text($0.element), label: label, labelOrigin: .caller,
          position: .line($0.offset + 1))
      })
  }

  static let sets = [
    dataset("a", .safe, ["kill time?", "bake bread?", "x"]), dataset("b", .harmful, ["kill time?", "y z"]),
  ]

  static let conditions: [EvaluationCondition] =
    [.init(strategy: Plain()), .init(strategy: Guarded(emphasis: .brief))]
    + [0, 0.5, 1, 2.5].map {
      EvaluationCondition(strategy: SelfContrastive(alpha: Float($0), emphasis: .brief))
    } + [.init(strategy: AdaCD(steps: 3, emphasis: .brief))]

  static func plan(temperature: Float = 1, repetitions: Int = 1) -> EvaluationPlan {
    EvaluationPlan(
      datasets: sets, conditions: conditions,
      options: .init(
        sampling: .init(temperature: temperature, seed: 7), maximumTokens: 12, summarizedSteps: 4),
      repetitions: repetitions)
  }

  final class MemorySink: EvaluationSink {
    struct Full: Error {}
    private let storage = Mutex<[ReplyKey: EvaluatedReply]>([:])
    let capacity: Int

    init(capacity: Int = .max) { self.capacity = capacity }

    func store(_ replies: [EvaluatedReply]) throws {
      try storage.withLock { storage in
        for reply in replies {
          guard storage.count < capacity else { throw Full() }
          storage[reply.key] = reply
        }
      }
    }

    var texts: [ReplyKey: String] { storage.withLock { $0.mapValues(\.text) } }
    var replies: [EvaluatedReply] { storage.withLock { Array($0.values) } }
  }

  static func texts(
    _ plan: EvaluationPlan, lanes: Int, skipping done: Set<ReplyKey> = []
  ) async throws -> [ReplyKey: String] {
    let sink = MemorySink()
    let runner = EvaluationRunner(
      model: try await model(lanes: lanes), plan: plan, judges: JudgeCatalogue.local)
    let outcome = try await runner.run(skipping: done, into: sink)
    #expect(outcome.failures.isEmpty && !outcome.isInterrupted)
    #expect(outcome.progress.generated == sink.texts.count)
    #expect(outcome.progress.done == plan.planned)
    return sink.texts
  }

  @Test(arguments: [0, 1] as [Float]) func batchSizeAndOrderChangeNothing(temperature: Float) async throws {
    let plan = Self.plan(temperature: temperature, repetitions: temperature > 0 ? 2 : 1)
    let together = try await Self.texts(plan, lanes: 40)
    #expect(together.count == plan.planned)
    #expect(try await Self.texts(plan, lanes: 2) == together)
    var reversed = plan
    reversed.conditions.reverse()
    reversed.datasets.reverse()
    #expect(try await Self.texts(reversed, lanes: 7) == together)
    if temperature > 0 { #expect(Set(together.values).count > together.count / 2, "seeds differ") }
  }

  @Test func whatIsThereIsNotGeneratedAgain() async throws {
    let plan = Self.plan()
    let whole = try await Self.texts(plan, lanes: 16)
    for kept in [0, 1, 9, plan.planned] {
      let done = Set(whole.keys.sorted { "\($0)" < "\($1)" }.prefix(kept))
      let rest = try await Self.texts(plan, lanes: 16, skipping: done)
      #expect(rest.count == plan.planned - kept && done.isDisjoint(with: rest.keys))
      #expect(rest == whole.filter { !done.contains($0.key) })
    }
  }

  /// The replies of greedy conditions agree for a while; while they do they cost one lane.
  @Test func conditionsThatAgreeAreDecodedOnce() async throws {
    var plan = Self.plan(temperature: 0)
    plan.conditions = (1...6).map { .init(strategy: Plain(plainSystem: nil), name: "plain \($0)") }
    let journal = DecodeJournal()
    let runner = EvaluationRunner(
      model: try await Self.model(lanes: 64, journal: journal), plan: plan, judges: [])
    let sink = MemorySink()
    _ = try await runner.run(into: sink)
    let one = DecodeJournal()
    plan.conditions = [plan.conditions[0]]
    _ = try await EvaluationRunner(
      model: try await Self.model(lanes: 64, journal: one), plan: plan, judges: []
    ).run(into: MemorySink())
    // Not equal: how much of a prompt is kept from before depends on when lanes become free.
    #expect(journal.decodedTokens < one.decodedTokens * 3 / 2)
    #expect(sink.replies.count == 6 * 5)
  }

  @Test func contrastedSweepsShareLanesUntilTheyPart() async throws {
    let plan = Self.plan(temperature: 0)
    let shared = DecodeJournal()
    let runner = EvaluationRunner(
      model: try await Self.model(lanes: 64, journal: shared), plan: plan, judges: [])
    _ = try await runner.run(into: MemorySink())
    var alone = 0
    for condition in plan.conditions {
      var single = plan
      single.conditions = [condition]
      let journal = DecodeJournal()
      _ = try await EvaluationRunner(
        model: try await Self.model(lanes: 64, journal: journal), plan: single, judges: []
      ).run(into: MemorySink())
      alone += journal.decodedTokens
    }
    #expect(shared.decodedTokens < alone * 2 / 3, "\(shared.decodedTokens) of \(alone)")
  }

  @Test func aFullSinkEndsTheRunAndKeepsWhatItHas() async throws {
    let sink = MemorySink(capacity: 3)
    let runner = EvaluationRunner(model: try await Self.model(lanes: 8), plan: Self.plan(), judges: [])
    await #expect(throws: MemorySink.Full.self) { try await runner.run(into: sink) }
    let whole = try await Self.texts(Self.plan(), lanes: 8)
    #expect(sink.texts.allSatisfy { whole[$0.key] == $0.value })
  }

  @Test func cancellingStoresOnlyWholeReplies() async throws {
    var plan = Self.plan()
    plan.options.maximumTokens = 300
    plan.repetitions = 20
    let model = try await Self.model(lanes: 8)
    let sink = MemorySink()
    let runner = EvaluationRunner(model: model, plan: plan, judges: [])
    let work = Task { try await runner.run(into: sink) }
    while await model.engine.freeLanes == 8 { await Task.yield() }
    work.cancel()
    let outcome = try await work.value
    #expect(outcome.isInterrupted && outcome.progress.done < plan.planned)
    #expect(!sink.replies.contains { $0.stopReason == StopReason.cancelled.rawValue })
    while await model.engine.freeLanes < 8 { await Task.yield() }
  }

  @Test func aPromptThatIsTooLongFailsAlone() async throws {
    var plan = Self.plan()
    plan.datasets.append(Self.dataset("c", .neutral, [String(repeating: "long ", count: 200)]))
    let sink = MemorySink()
    let outcome = try await EvaluationRunner(
      model: try await Self.model(lanes: 16), plan: plan, judges: []
    ).run(into: sink)
    #expect(Set(outcome.failures.map(\.key.dataset)) == ["c"])
    #expect(outcome.failures.count == plan.conditions.count)
    #expect(outcome.failures.allSatisfy { $0.reason.contains("ctx-size") })
    #expect(sink.replies.count == plan.planned - plan.conditions.count)
  }

  @Test func stepsAreSummarised() async throws {
    let sink = MemorySink()
    _ = try await EvaluationRunner(
      model: try await Self.model(lanes: 16), plan: Self.plan(), judges: []
    ).run(into: sink)
    for reply in sink.replies {
      let measured = reply.steps.filter(\.isMeasured)
      #expect(measured.count == min(4, reply.steps.count))
      let isContrasted = reply.key.condition.contains("@")
      for (step, summary) in measured.enumerated() {
        let logProbabilities = [summary.guarded, summary.plain].compactMap(\.self)
        #expect(logProbabilities.allSatisfy { $0 <= 0 } && !logProbabilities.isEmpty)
        let hasBoth = isContrasted && !(reply.key.condition.hasPrefix("ada-cd") && step >= 3)
        #expect((summary.divergence != nil) == hasBoth)
        if let divergence = summary.divergence { #expect((0...JensenShannon.maximum).contains(divergence)) }
      }
    }
  }

  @Test func badPlansAreRefusedBeforeAnyWork() async throws {
    func refuse(_ change: (inout EvaluationPlan) -> Void, _ error: EvaluationError) async throws {
      var plan = Self.plan()
      change(&plan)
      let runner = EvaluationRunner(model: try await Self.model(lanes: 1), plan: plan, judges: [])
      await #expect(throws: error) { try await runner.run(into: MemorySink()) }
    }
    try await refuse({ $0.datasets = [] }, .noSamples)
    try await refuse({ $0.conditions = [] }, .noConditions)
    try await refuse({ $0.repetitions = 0 }, .repetitions(0))
    try await refuse({ $0.datasets += $0.datasets }, .repeated(what: "data set", "a"))
    try await refuse({ $0.conditions += $0.conditions }, .repeated(what: "condition", "plain"))
    try await refuse({ _ in }, .tooFewLanes(needed: 2, available: 1))
  }

  @Test func seedsDependOnEveryPartOfTheKey() {
    let key = ReplyKey(dataset: "d", sample: "1", condition: "c")
    let keys = [
      key, .init(dataset: "d1", sample: "", condition: "c"), .init(dataset: "d", sample: "1c", condition: ""),
      .init(dataset: "d", sample: "1", condition: "c", repetition: 1),
    ]
    #expect(Set(keys.map { GenerationSeed.derive(run: 1, $0) }).count == keys.count)
    #expect(GenerationSeed.derive(run: 1, key) != GenerationSeed.derive(run: 2, key))
  }
}
