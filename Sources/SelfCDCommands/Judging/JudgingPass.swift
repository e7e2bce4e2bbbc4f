import SelfCDJudges
import SelfCDStore

/// A judge's way through many replies, several at a time, since judges behind endpoints mostly wait.
enum JudgingPass {
  /// What a judge is asked.
  struct Exchange: Hashable, Sendable {
    let prompt: String
    let reply: String
  }

  /// What came of it.
  struct Outcome: Sendable {
    /// In the order of the exchanges; nil where the judge was not reached, or its model named no class.
    var verdicts: [Verdict?]
    /// Why the pass ended early.
    var failure: (any Error)?
  }

  private static let callsAtATime = 8

  /// Judges all of `exchanges`, equal ones once. Ctrl-C ends it.
  ///
  /// A model that names no class leaves its reply without verdict, which is noted, and the pass goes on; it fails if
  /// that happens on every reply. Any other failure ends it, after the calls in flight, whose answers are paid for.
  static func run(
    _ judge: any ReplyJudge, on exchanges: [Exchange], console: Console
  ) async throws -> Outcome {
    let work = Task { await Self.verdicts(of: judge, on: exchanges, console: console) }
    let stop: @Sendable () -> Void = { work.cancel() }
    return try await Interruption.handling(stop) { await work.value }
  }

  /// Judges the replies of a stored run. The verdicts are kept in it, those before a failure too.
  /// - Parameter onlyMissing: leaves replies alone that a judge has judged in its present version. A run that is
  ///   taken up by a later program gets verdicts of one version on all of its replies.
  /// - Throws: What made a judge fail; `StoreError`.
  static func run(
    _ judges: [any ReplyJudge], onRun runID: String, in store: RunStore, onlyMissing: Bool = false,
    console: Console
  ) async throws {
    guard !judges.isEmpty else { return }
    let all = try store.replies(runID: runID, withSteps: false)
    // What cannot fail goes first: its verdicts are there whatever becomes of the others.
    let ordered = judges.filter { $0 is any LocalReplyJudge } + judges.filter { !($0 is any LocalReplyJudge) }
    for judge in ordered {
      let open = all.filter {
        !onlyMissing || $0.replyClass(by: judge.name, version: judge.version) == nil
      }
      guard !open.isEmpty else { continue }
      let replies = open.filter { !$0.isOnlyReasoning }
      let outcome = try await run(
        judge, on: replies.map { Exchange(prompt: $0.sample.prompt, reply: $0.text) }, console: console)
      let answers = Array(zip(replies, outcome.verdicts))
      let unanswered = open.filter(\.isOnlyReasoning).map { ($0, Verdict.onlyReasoning as Verdict?) }
      let judgements = (unanswered + answers).compactMap { reply, verdict in
        verdict.map {
          (key: reply.key, judgement: Judgement(judge: judge.name, version: judge.version, verdict: $0))
        }
      }
      try store.add(judgements, to: runID)
      if let failure = outcome.failure { throw failure }
    }
  }

  private static func verdicts(
    of judge: any ReplyJudge, on exchanges: [Exchange], console: Console
  ) async -> Outcome {
    let places = Dictionary(grouping: exchanges.indices) { exchanges[$0] }
    let questions = places.sorted { $0.value[0] < $1.value[0] }
    var outcome = Outcome(verdicts: Array(repeating: nil, count: exchanges.count))
    var unreadable: (error: JudgeError, count: Int)?
    let meter = ProgressLine(label: "judging with \(TerminalText.singleLine(judge.name))")
    await withTaskGroup(of: (Int, Result<Verdict, any Error>).self) { group in
      var next = 0
      var done = 0
      func ask(_ group: inout TaskGroup<(Int, Result<Verdict, any Error>)>) {
        guard next < questions.count, outcome.failure == nil else { return }
        let index = next
        let question = questions[index].key
        next += 1
        group.addTask {
          let answer: Result<Verdict, any Error>
          do {
            answer = .success(try await judge.judge(prompt: question.prompt, reply: question.reply))
          } catch {
            answer = .failure(error)
          }
          return (index, answer)
        }
      }
      for _ in 0..<callsAtATime { ask(&group) }
      while let (index, result) = await group.next() {
        done += 1
        switch result {
        case .success(let verdict):
          for place in questions[index].value { outcome.verdicts[place] = verdict }
        case .failure(let error as JudgeError):
          if case .unreadableAnswer = error {
            unreadable = (error, (unreadable?.count ?? 0) + questions[index].value.count)
          } else if outcome.failure == nil {
            outcome.failure = error
          }
        case .failure(is CancellationError): outcome.failure = CommandError.interrupted
        case .failure(let error): outcome.failure = outcome.failure ?? error
        }
        meter.update(text: "\(done)/\(questions.count)")
        ask(&group)
      }
    }
    meter.clear()
    if Task.isCancelled { outcome.failure = CommandError.interrupted }
    if let unreadable {
      if outcome.failure == nil, unreadable.count == exchanges.count { outcome.failure = unreadable.error }
      console.note(
        "\(TerminalText.singleLine(judge.name)) named no class for \(unreadable.count) of \(exchanges.count) "
          + "replies; they stay without its verdict.")
    }
    return outcome
  }
}
