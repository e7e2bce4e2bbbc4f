import SelfCD
import SelfCDData
import SelfCDJudges

/// Carries out a ``PromptAnalysisPlan``: generates the replies, then scores the refusals.
public struct PromptAnalyzer: Sendable {
  private let model: ChatModel
  private let tokenizer: any ReplyTokenizer
  private let plan: PromptAnalysisPlan
  private let judge: any ReplyJudge

  /// Makes an analyser.
  /// - Parameters:
  ///   - model: The model to ask.
  ///   - tokenizer: Turns refusals into its tokens.
  ///   - plan: What to ask.
  ///   - judge: Says which replies refuse.
  public init(
    model: ChatModel, tokenizer: any ReplyTokenizer, plan: PromptAnalysisPlan, judge: any ReplyJudge
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.plan = plan
    self.judge = judge
  }

  /// Asks the model. Cancelling the task ends it with what there is.
  /// - Parameter progress: Told how many of how many replies and prompts are done, now and then.
  /// - Throws: `EvaluationError` and its siblings for the plan, what the engine or the judge throws. A prompt that
  ///   alone cannot be answered or scored is reported as a failure instead.
  public func run(
    progress: @Sendable (_ done: Int, _ planned: Int) -> Void = { _, _ in }
  ) async throws -> PromptAnalysis {
    let evaluation = plan.evaluation
    let texts = try plan.texts.map { (text: $0, tokens: try tokenizer.tokens(ofReply: $0)) }
    guard !texts.contains(where: \.tokens.isEmpty) else { throw GenerationError.emptyContinuation }
    let prompts = plan.datasets.reduce(0) { $0 + $1.samples.count }
    let planned = evaluation.planned + prompts
    let replies = ReplyCollector()
    let outcome = try await EvaluationRunner(model: model, plan: evaluation, judges: [judge])
      .run(into: replies) { progress($0.done, planned) }
    let summary = try EvaluationSummary(
      replies.all, conditions: evaluation.conditions.map { ($0.id, $0.strategy.name, nil) },
      judge: judge.name, reference: PromptAnalysisPlan.none, group: plan.group)

    var failures = outcome.failures
    var scored: [ScoredPrompt] = []
    for dataset in plan.datasets {
      for sample in dataset.samples where !Task.isCancelled {
        guard let set = sample.label else { continue }
        do {
          let chat = evaluation.chat(for: sample)
          var score = try await score(texts.map(\.tokens), after: chat, set: set)
          score.group = plan.group.map { sample.group(inColumn: $0, of: dataset.name) }
          scored.append(score)
        } catch let unscorable as Unscorable {
          let key = ReplyKey(dataset: dataset.name, sample: sample.id, condition: "perplexity")
          failures.append(EvaluationFailure(key: key, reason: unscorable.reason))
        }
        progress(evaluation.planned + scored.count, planned)
      }
    }
    return PromptAnalysis(
      perplexities: try Sample.Label.allCases.compactMap { set in
        try PromptAnalysis.Perplexities(
          set: set, prompts: scored, texts: texts.map { ($0.text, $0.tokens.count) })
      },
      summary: summary, failures: failures, isInterrupted: Task.isCancelled)
  }

  /// About one prompt, not about the model: the other prompts go on.
  private struct Unscorable: Error {
    let reason: String
  }

  private func score(
    _ texts: [[TokenID]], after chat: Chat, set: Sample.Label
  ) async throws -> ScoredPrompt {
    let prompts: [LaneRole: [TokenID]]
    do {
      prompts = try model.request(chat, strategy: plan.pair).prompts
    } catch {
      throw Unscorable(reason: "\(error)")
    }
    var result = ScoredPrompt(set: set, plain: [], guarded: [])
    for text in texts {
      do {
        let scores = try await model.engine.score(text, after: prompts)
        guard let plain = RefusalPerplexity.logPerplexity(scores, in: .plain),
          let guarded = RefusalPerplexity.logPerplexity(scores, in: .guarded)
        else { throw Unscorable(reason: "a token of the refusal has no probability in one of the lanes") }
        result.plain.append(plain)
        result.guarded.append(guarded)
      } catch let error as GenerationError {
        guard case .promptTooLong = error else { throw error }
        throw Unscorable(reason: error.description)
      }
    }
    return result
  }
}
