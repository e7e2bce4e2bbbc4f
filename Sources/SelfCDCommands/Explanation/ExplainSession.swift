import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDExplain
import SelfCDJudges
import SelfCDLlama

/// A model that is ready to be explained.
struct ExplainSession {
  let loaded: LoadedModel
  /// The model as results name it.
  let named: NamedModel
  let probe: RefusalProbe
  let judge: any LocalReplyJudge
  let system: String?
  let tracer: FlowTracer

  /// Other parts of a prompt that are asked about beside the smallest refused one.
  private static let controls = 16

  /// Loads the model with lanes and context enough for `samples`, and learns how its refusals begin.
  /// - Parameter learning: How long, where the options do not say.
  init(
    model options: ModelOptions, samples: [Sample], views: [RefusalProbe.View], beginnings: BeginningsOptions,
    learning: LearnTime, judge: any LocalReplyJudge, system: String?, batch: BatchOptions, console: Console
  ) async throws {
    var options = options
    options.model = try await options.modelPath(console: console)
    // The lanes and the context come from the plan an evaluation of the same prompts would have.
    var plan = BeginningsLearner(
      datasets: try beginnings.datasets(), views: views, system: system, judge: judge
    ).plan
    plan.datasets.append(Dataset(name: "explained", sha256: "", format: "", samples: samples))
    let (fitted, lanes) = try batch.fitted(options, to: plan, console: console)
    loaded = try await ModelLoading.load(
      fitted.repeatable, lanes: lanes, unifiedCache: true, console: console)
    named = try NamedModel(path: loaded.model.path, adapters: options.adapterOptions.adapters)
    guard let renderer = loaded.chat.renderer as? any PromptRenderer & ReplyTokenizer else {
      throw CommandError.invalid(
        "This model's prompts cannot be explained: there is no tokenizer for replies.")
    }
    let model = ChatModel(engine: loaded.chat.engine, renderer: AnswerRenderer(renderer))
    self.judge = judge
    self.system = system
    tracer = Inspection.tracer(loaded, model)
    probe = RefusalProbe(
      model: model, views: views,
      beginnings: try await beginnings.beginnings(
        of: loaded, model: model, renderer: renderer, views: views, system: system, judge: judge,
        templateOptions: [options.chatTemplate ?? ""] + options.templateArguments, time: learning,
        console: console))
  }

  /// What only refused prompts have; the rest of the explanation stands without it.
  /// - Parameter note: What is said where the prompt is not; the error's own words if nil.
  private func ifRefused<Value>(
    _ console: Console, or note: String? = nil, _ find: () async throws -> Value
  ) async throws -> Value? {
    do {
      return try await find()
    } catch let error as ExplanationError {
      guard case .notRefused = error else { throw error }
      console.note(note ?? error.description)
      return nil
    }
  }

  /// Everything that is asked for about one prompt.
  func explain(
    _ chat: Chat, _ request: ExplainOptions, flow: FlowOptions? = nil, console: Console
  ) async throws -> Explanation {
    try await Self.interruptible(label: "explaining") { meter in
      let result = try await WordAttributor(probe).attribute(
        request.attributionMethods, to: chat,
        shapley: ShapleySampling(pairs: request.shapleyPairs, seed: request.seed)
      ) { done, planned in meter.update(Double(done) / Double(max(1, planned))) }
      var explanation = Explanation(
        model: named, chat: chat,
        views: zip(probe.views, result.scores).map { ($0.name, StrategyTitle.of($0.strategy), $1) },
        beginnings: probe.beginnings, attributions: result.attributions, focus: request.focus)
      if request.trigger {
        explanation.trigger = try await ifRefused(console) {
          try await MinimalTrigger.find(
            in: chat, view: request.view, criterion: request.still, probe: probe, judge: judge,
            controls: Self.controls)
        }
      }
      if request.smallestEdit {
        let prompt = try SafePrompt(Sample(chat, label: request.label))
        let note =
          "the prompt is answered in the view '\(request.view)' already, so there is no edit to search for; --view names "
          + "another view."
        explanation.edit = try await ifRefused(console, or: note) {
          try await SmallestEdit.find(
            in: prompt, view: request.view, criterion: request.still, probe: probe, judge: judge)
        }
      }
      if request.uncertainty {
        explanation.uncertainties = try await UncertaintyMeter(
          probe: probe, judge: judge, samples: request.samples, temperature: request.temperature,
          seed: request.seed
        ).measure(chat, vocabulary: loaded.vocabulary)
      }
      explanation.flows =
        try await flow?.trace(
          chat, views: probe.views, tracer: tracer, model: probe.model) ?? []
      return explanation
    }
  }

  /// Runs something that takes a while, with a line that says how far it is; Ctrl-C ends it.
  /// - Parameter remark: What is said of the results where it does.
  static func interruptible<Value: Sendable>(
    label: String, leaving remark: String = Inspection.nothing,
    _ body: @escaping @Sendable (_ meter: ProgressLine) async throws -> Value
  ) async throws -> Value {
    let meter = ProgressLine(label: label)
    let pulse = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(1))
        if !Task.isCancelled { meter.beat() }
      }
    }
    defer {
      pulse.cancel()
      meter.clear()
    }
    return try await Interruption.cancellable(meter, leaving: remark) { try await body(meter) }
  }
}

extension Sample {
  /// A chat that the caller gave, with the label they gave it.
  init(_ chat: Chat, label: Label?) {
    self.init(
      id: "question",
      content: .messages(chat.messages.map { Turn(role: .init($0.role), content: $0.content) }),
      label: label, labelOrigin: label.map { _ in .caller }, position: .element(1))
  }
}

extension Sample.Turn.Role {
  init(_ role: ChatRole) {
    self =
      switch role {
      case .system: .system
      case .user: .user
      case .assistant: .assistant
      }
  }
}
