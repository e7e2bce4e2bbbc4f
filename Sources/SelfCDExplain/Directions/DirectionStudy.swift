import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics

/// Extracts the refusal direction and the false-refusal vector from labelled prompts, selects them on a validation part,
/// and compares ablation of the latter with other conditions on a test part.
///
/// Refusal direction: Arditi et al., arXiv 2406.11717. There it is selected by what ablating and adding it does; here
/// nothing ablates it, so it is selected by how well projections on it tell harmful from harmless validation prompts,
/// among the layers they allow (the first 80 %). False-refusal vector: Wang et al., arXiv 2410.03415; selected by what
/// its ablation does on the validation part, with the harmful prompts it loses counted first.
public struct DirectionStudy: Sendable {
  /// The name of the condition with the ablated model.
  public static let ablation = "false-refusal ablation"

  /// The model as it is: answers, and renders the prompts that are read.
  public var model: ChatModel
  /// Reads the residual stream of the same model.
  public var inspector: any ModelInspector
  /// Makes the same model without a vector.
  public var ablated: @Sendable (FalseRefusalVector) async throws -> ChatModel
  /// Says whether a reply is a refusal.
  public var judge: any ReplyJudge
  /// Labelled prompts; those without a label are left aside. Each label needs 24 or more.
  public var datasets: [Dataset]
  /// The safety prompt under which prompts are read, judged and ablated.
  public var guarded: Guarded
  /// Compared with ablation on the test part; `guarded` is among them.
  public var conditions: [EvaluationCondition]
  /// The system prompt that every condition keeps, as an application has it; `nil` for none.
  public var system: String?
  /// How prompts are shared out, what is searched, and how long replies are.
  public var settings: Settings

  /// Describes a study; nothing is computed before ``run(progress:)``.
  ///
  /// - Parameters:
  ///   - model: the model as it is.
  ///   - inspector: reads the same model's residual stream.
  ///   - ablated: makes the same model without a vector.
  ///   - judge: tells refusals.
  ///   - datasets: labelled prompts.
  ///   - guarded: the safety prompt under study.
  ///   - conditions: what ablation is compared with on the test part.
  ///   - system: the system prompt that all conditions keep.
  ///   - settings: parts, search, lengths.
  public init(
    model: ChatModel, inspector: any ModelInspector,
    ablated: @escaping @Sendable (FalseRefusalVector) async throws -> ChatModel, judge: any ReplyJudge,
    datasets: [Dataset], guarded: Guarded, conditions: [EvaluationCondition], system: String? = nil,
    settings: Settings = .init()
  ) {
    self.model = model
    self.inspector = inspector
    self.ablated = ablated
    self.judge = judge
    self.datasets = datasets
    self.guarded = guarded
    self.conditions = conditions
    self.system = system
    self.settings = settings
  }

  /// - Parameter progress: told what is being done and how much of it.
  /// - Throws: ``DirectionStudyError``, `DirectionError`, what the runner and the inspector throw, `CancellationError`.
  public func run(progress: @Sendable (String, Double) -> Void = { _, _ in }) async throws -> Result {
    let parts = try Self.split(datasets, settings)
    var failures = 0

    progress("judging", 0)
    let learning = datasets(parts, [.training, .validation])
    let known = try await evaluate(
      model, learning, [EvaluationCondition(strategy: guarded, name: Guarded.name)], failures: &failures)
    let refused = Set(known.filter { isRefusal($0) }.map { SampleKey($0.key) })
    let pseudo = parts.training(.safe).filter { refused.contains($0.key) }
    guard pseudo.count >= Self.leastPrompts else {
      throw DirectionStudyError.tooFew(
        what: "harmless training prompts that are refused", found: pseudo.count)
    }

    // Every prompt whose states are compared: one that ends otherwise would be read at other places.
    let read = [parts.training(.harmful), parts.training(.neutral), pseudo]
    let checked = [parts.validation(.harmful), parts.validation(.neutral)]
    let positions = try sharedEnd(of: (read + checked).flatMap(\.self))
    progress("reading", 0)
    let harmful = try await means(parts.training(.harmful), positions)
    progress("reading", 0.33)
    let harmless = try await means(parts.training(.neutral), positions)
    progress("reading", 0.66)
    let lookalikes = try await means(pseudo, positions)
    let (refusal, candidates) = try await select(harmful, harmless, parts, positions, progress)

    let (vector, trials, validation) = try await selectVector(
      lookalikes, harmless, refusal, candidates, parts, known, &failures, progress)

    progress("comparing", 0)
    let test = datasets(parts, [.test])
    var replies = try await evaluate(model, test, conditions, failures: &failures) {
      progress("comparing", 0.6 * $0)
    }
    let edited = try await ablated(vector)
    replies += try await evaluate(
      edited, test, [EvaluationCondition(strategy: guarded, name: Self.ablation)], failures: &failures
    ) { progress("comparing", 0.6 + 0.2 * $0) }
    let summary = try EvaluationSummary(
      replies,
      conditions: conditions.map { ($0.id, $0.strategy.name, $0.alpha) } + [
        (Self.ablation, Guarded.name, nil)
      ],
      judge: judge.name, reference: Guarded.name, group: settings.group)
    let projections = try await project(refusal, parts, replies, positions.count) {
      progress("comparing", 0.8 + 0.2 * $0)
    }
    return Result(
      parts: parts.counts, pseudoHarmful: pseudo.count, refusal: refusal, candidates: candidates,
      falseRefusal: vector, validation: validation, trials: trials, projections: projections,
      summary: summary,
      failures: failures)
  }

  // MARK: Replies

  func plan(_ datasets: [Dataset], _ conditions: [EvaluationCondition]) -> EvaluationPlan {
    EvaluationPlan(
      datasets: datasets, conditions: conditions,
      options: GenerationOptions(maximumTokens: settings.maximumTokens), system: system)
  }

  func evaluate(
    _ model: ChatModel, _ datasets: [Dataset], _ conditions: [EvaluationCondition], failures: inout Int,
    progress: @Sendable (Double) -> Void = { _ in }
  ) async throws -> [EvaluatedReply] {
    let outcome = try await EvaluationRunner(model: model, plan: plan(datasets, conditions), judges: [judge])
      .replies(progress: progress)
    failures += outcome.failures.count
    return outcome.replies
  }

  func isRefusal(_ reply: EvaluatedReply) -> Bool {
    reply.judgements.first?.verdict.isRefusal ?? false
  }
}
