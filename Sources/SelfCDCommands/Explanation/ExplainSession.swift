import Foundation
import SelfCD
import SelfCDEval
import SelfCDExplain
import SelfCDLlama

/// A model that is ready to be explained.
struct ExplainSession {
  let loaded: LoadedModel
  let probe: RefusalProbe
  let judge: any LocalReplyJudge
  let system: String?
  let tracer: FlowTracer

  /// Loads the model with lanes and context enough for `chats`, and learns how its refusals begin.
  init(
    model options: ModelOptions, chats: [Chat], views: [RefusalProbe.View], beginnings: BeginningsOptions,
    judge: any LocalReplyJudge, system: String?, batch: BatchOptions, console: Console
  ) async throws {
    var options = options
    options.model = try await options.modelPath(console: console)
    // The lanes and the context come from the plan an evaluation of the same prompts would have.
    let samples = chats.enumerated().map { index, chat in
      Sample(
        id: "\(index)",
        content: .messages(
          chat.messages.map { Sample.Turn(role: .init($0.role), content: $0.content) }),
        position: .element(index + 1))
    }
    var plan = BeginningsLearner(datasets: try beginnings.datasets(), views: views, judge: judge).plan
    plan.datasets.append(Dataset(name: "explained", sha256: "", format: "", samples: samples))
    let (fitted, lanes) = try batch.fitted(options, to: plan, console: console)
    loaded = try await ModelLoading.load(
      fitted.repeatable, lanes: lanes, unifiedCache: true, console: console)
    guard let renderer = loaded.chat.renderer as? any PromptRenderer & ReplyTokenizer else {
      throw CommandError.invalid(
        "This model's prompts cannot be explained: there is no tokenizer for replies.")
    }
    let model = ChatModel(engine: loaded.chat.engine, renderer: AnswerRenderer(renderer))
    self.judge = judge
    self.system = system
    tracer = Inspection.tracer(loaded, model, options)
    probe = RefusalProbe(
      model: model, views: views,
      beginnings: try await beginnings.beginnings(
        of: loaded, model: model, views: views, system: system, judge: judge,
        templateOptions: [options.chatTemplate ?? ""] + options.templateArguments, console: console))
  }

  /// Everything that is asked for about one prompt.
  func explain(
    _ chat: Chat, _ request: ExplainOptions, flow: FlowOptions? = nil, console: Console
  ) async throws -> Explanation {
    let meter = ProgressLine(label: "explaining")
    defer { meter.clear() }
    let work = Task {
      let (scores, attributions) = try await WordAttributor(probe).attribute(
        request.attributionMethods, to: chat,
        shapley: ShapleySampling(pairs: request.shapleyPairs, seed: request.seed)
      ) { done, planned in meter.update(Double(done) / Double(max(1, planned))) }
      var explanation = Explanation(
        model: loaded.model.path, chat: chat,
        views: zip(probe.views, scores).map { ($0.name, StrategyTitle.of($0.strategy), $1) },
        beginnings: probe.beginnings, attributions: attributions, focus: request.focus)
      if request.trigger {
        explanation.trigger = try await MinimalTrigger.find(
          in: chat, view: request.view, criterion: request.still, probe: probe, judge: judge)
      }
      if request.smallestEdit {
        let sample = Sample(
          id: "question",
          content: .messages(chat.messages.map { .init(role: .init($0.role), content: $0.content) }),
          label: request.label, labelOrigin: request.label.map { _ in .caller }, position: .element(1))
        explanation.edit = try await SmallestEdit.find(
          in: try SafePrompt(sample), view: request.view, probe: probe)
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
    do {
      return try await Interruption.handling({ work.cancel() }) { try await work.value }
    } catch is CancellationError {
      throw CommandError.interrupted
    }
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
