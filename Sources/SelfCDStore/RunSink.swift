import SelfCDEval

/// Puts an evaluation's replies into a run of a store.
public struct RunSink: EvaluationSink {
  private let store: RunStore
  private let runID: String

  /// Makes a sink; the run with its data sets and conditions has to be there.
  public init(_ store: RunStore, runID: String) {
    self.store = store
    self.runID = runID
  }

  /// Keeps replies with their steps and verdicts in one transaction.
  /// - Throws: `StoreError`.
  public func store(_ replies: [EvaluationReply]) throws {
    try store.add(replies.map(ReplyRecord.init), to: runID)
  }
}

extension ReplyRecord {
  init(_ evaluated: EvaluationReply) {
    self.init(
      key: Key(evaluated.key), text: evaluated.reply.text,
      stopReason: evaluated.reply.stopReason.rawValue, seed: evaluated.seed,
      steps: evaluated.reply.tokens.compactMap { token in
        token.lanes.map { lanes in
          // An excluded token has the logarithm of zero, for which there is no JSON.
          Step(
            token: Int(token.id), divergence: lanes.divergence,
            guarded: lanes.logProbabilities[.guarded].flatMap { $0.isFinite ? $0 : nil },
            plain: lanes.logProbabilities[.plain].flatMap { $0.isFinite ? $0 : nil })
        }
      },
      verdicts: evaluated.judgements.map {
        VerdictRecord(judge: $0.judge, version: $0.version, verdict: $0.verdict)
      }, cost: evaluated.cost, isOnlyReasoning: evaluated.isOnlyReasoning)
  }
}

extension ReplyRecord.Key {
  /// The same key, as an evaluation has it.
  public init(_ key: EvaluationReply.Key) {
    self.init(
      dataset: key.dataset, sample: key.sample, condition: key.condition, repetition: key.repetition)
  }
}

extension EvaluationReply.Key {
  init(_ key: ReplyRecord.Key) {
    self.init(
      dataset: key.dataset, sample: key.sample, condition: key.condition, repetition: key.repetition)
  }
}

extension RunStore {
  /// The replies of a run as summaries take them.
  /// - Throws: `StoreError.notFound` without the run.
  public func evaluatedReplies(runID: String) throws(StoreError) -> [EvaluatedReply] {
    var result: [EvaluatedReply] = []
    try forEachReply(runID: runID, withSteps: true) { reply, sample, _ in
      result.append(
        EvaluatedReply(
          key: EvaluationReply.Key(reply.key), sample: sample, text: reply.text,
          judgements: reply.verdicts.map {
            EvaluationReply.Judgement(judge: $0.judge, version: $0.version, verdict: $0.verdict)
          },
          divergences: reply.steps.compactMap(\.divergence),
          plainLogProbabilities: reply.steps.compactMap(\.plain), cost: reply.cost,
          isOnlyReasoning: reply.isOnlyReasoning))
    }
    return result
  }

  /// Which replies a run has.
  /// - Throws: `StoreError.notFound` without the run.
  public func storedKeys(runID: String) throws(StoreError) -> Set<EvaluationReply.Key> {
    var result: Set<EvaluationReply.Key> = []
    try forEachReply(runID: runID, withSteps: false) { reply, _, _ in
      result.insert(EvaluationReply.Key(reply.key))
    }
    return result
  }
}
