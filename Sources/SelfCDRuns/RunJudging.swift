import SelfCDEval
import SelfCDJudges
import SelfCDStore

extension RunStore {
  /// Judges the replies of a run and keeps the verdicts, those before a failure too.
  /// - Parameters:
  ///   - runID: The run.
  ///   - judges: Rules go first: what cannot fail is there whatever becomes of the others.
  ///   - onlyMissing: Leaves replies alone that a judge has judged in its present version. A run that is taken up by a
  ///     later program gets verdicts of one version on all of its replies.
  ///   - observer: Told how far it is.
  /// - Throws: What made a judge fail; `CancellationError`; `StoreError`.
  public func judge(
    runID: String, by judges: [any ReplyJudge], onlyMissing: Bool = false,
    observer: @escaping RunObserver = { _ in }
  ) async throws {
    guard !judges.isEmpty else { return }
    let all = try replies(runID: runID, withSteps: false)
    let ordered = judges.filter { $0 is any LocalReplyJudge } + judges.filter { !($0 is any LocalReplyJudge) }
    for judge in ordered {
      let open = all.filter {
        !onlyMissing || $0.replyClass(by: judge.name, version: judge.version) == nil
      }
      guard !open.isEmpty else { continue }
      let answers = open.filter { !$0.isOnlyReasoning }
      let outcome = await ConcurrentJudging(judge).run(
        on: answers.map { .init(prompt: $0.sample.prompt, reply: $0.text) }
      ) { observer(.judged(judge: judge.name, done: $0, planned: $1)) }
      if outcome.unreadable > 0 {
        observer(.unreadable(judge: judge.name, replies: outcome.unreadable, planned: answers.count))
      }
      let verdicts =
        open.filter(\.isOnlyReasoning).map { ($0, Verdict.onlyReasoning as Verdict?) }
        + zip(answers, outcome.verdicts)
      try add(
        verdicts.compactMap { reply, verdict in
          verdict.map {
            (key: reply.key, judgement: Judgement(judge: judge.name, version: judge.version, verdict: $0))
          }
        }, to: runID)
      if let failure = outcome.failure { throw failure }
    }
  }
}
