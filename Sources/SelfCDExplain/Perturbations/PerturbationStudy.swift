import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges

/// Refusal rates before and after each change of the fixed list, on both axes: aggregates, no prompt or reply is kept.
public struct PerturbationStudy: Sendable {
  /// One change, in one view, on one set.
  public struct Row: Codable, Sendable, Hashable {
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// The view's name.
    public var view: String
    /// The change; nil for the prompts as they are.
    public var perturbation: String?
    /// Refusals, with Wilson's interval, or one over groups.
    public var refusals: RefusalRate
    /// Against the prompts as they are, paired; nil for those themselves.
    public var paired: PairedComparison?
  }

  /// Everything that was found.
  public struct Result: Codable, Sendable, Hashable {
    /// The list's version.
    public var listVersion: String
    /// The changes.
    public var perturbations: [Perturbation]
    /// Whose verdicts are counted.
    public var judge: String
    /// View by view, change by change, set by set.
    public var rows: [Row]
    /// Replies that could not be generated.
    public var failures: Int
  }

  /// The model, with the renderer of its own.
  public var model: ChatModel
  /// The renderer that is asked for the changed prompts.
  public var renderer: any PromptRenderer & ReplyTokenizer
  /// The ways of decoding.
  public var views: [RefusalProbe.View]
  /// The labelled prompts.
  public var datasets: [Dataset]
  /// The changes.
  public var perturbations: [Perturbation]
  /// Says which replies refuse.
  public var judge: any ReplyJudge
  /// The caller's own system prompt.
  public var system: String?
  /// The longest reply, in tokens.
  public var maximumTokens: Int
  /// The column that says which prompts belong together; nil takes them as independent.
  public var group: String?

  /// Makes a study of all perturbations.
  public init(
    model: ChatModel, renderer: any PromptRenderer & ReplyTokenizer, views: [RefusalProbe.View],
    datasets: [Dataset], perturbations: [Perturbation] = Perturbation.all, judge: any ReplyJudge,
    system: String? = nil, maximumTokens: Int = 48, group: String? = nil
  ) {
    self.model = model
    self.renderer = renderer
    self.views = views
    self.datasets = datasets
    self.perturbations = perturbations
    self.judge = judge
    self.system = system
    self.maximumTokens = maximumTokens
    self.group = group
  }

  /// The name of the prompts as they are, among the conditions.
  static let none = "none"

  /// What is generated for each change, and for none.
  public var plan: EvaluationPlan {
    EvaluationPlan(
      datasets: datasets, conditions: views.map { EvaluationCondition(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(maximumTokens: maximumTokens), system: system)
  }

  /// Generates and counts.
  /// - Parameter progress: Told how much is done, 0 … 1.
  /// - Throws: What the runner, the judge or a statistic throws; `CancellationError`.
  public func run(progress: @Sendable (Double) -> Void = { _ in }) async throws -> Result {
    var replies: [String: [EvaluatedReply]] = [:]
    var failures = 0
    let plan = plan
    let changes: [Perturbation?] = [nil] + perturbations.map(Optional.some)
    for (number, change) in changes.enumerated() {
      let renderer: any PromptRenderer =
        change.map { PerturbingRenderer(base: self.renderer, perturbation: $0) } ?? self.renderer
      let outcome = try await EvaluationRunner(
        model: ChatModel(engine: model.engine, renderer: renderer), plan: plan, judges: [judge]
      ).replies { progress((Double(number) + $0) / Double(changes.count)) }
      failures += outcome.failures.count
      for var reply in outcome.replies {
        let view = reply.key.condition
        reply.key.condition = change?.id ?? Self.none
        replies[view, default: []].append(reply)
      }
    }
    let conditions = changes.map { (id: $0?.id ?? Self.none, strategy: "", alpha: nil as Double?) }
    let rows = try views.flatMap { view in
      try EvaluationSummary(
        replies[view.name] ?? [], conditions: conditions, judge: judge.name, reference: Self.none,
        group: group
      ).rows.map {
        Row(
          set: $0.set, view: view.name, perturbation: $0.condition == Self.none ? nil : $0.condition,
          refusals: $0.refusals, paired: $0.paired)
      }
    }
    return Result(
      listVersion: Perturbation.listVersion, perturbations: perturbations, judge: judge.name, rows: rows,
      failures: failures)
  }
}
