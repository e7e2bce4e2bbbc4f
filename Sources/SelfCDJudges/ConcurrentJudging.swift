/// Judges many replies, several at a time, since judges behind endpoints mostly wait.
public struct ConcurrentJudging: Sendable {
  /// What a judge is asked.
  public struct Exchange: Hashable, Sendable {
    /// The prompt; empty where it is not known.
    public var prompt: String
    /// The reply.
    public var reply: String

    /// Makes an exchange.
    public init(prompt: String, reply: String) {
      self.prompt = prompt
      self.reply = reply
    }
  }

  /// What came of it.
  public struct Outcome: Sendable {
    /// In the order of the exchanges; nil where the judge was not reached, its model named no class, or the reply is in
    /// a language that the judge does not know.
    public var verdicts: [Verdict?]
    /// Exchanges for which the judge's model named no class, or whose reply is in a language that the judge does not
    /// know.
    public var unreadable: Int
    /// Why the pass ended early: the judge's error, or `CancellationError`.
    public var failure: (any Error)?
  }

  private let judge: any ReplyJudge
  private let callsAtATime: Int

  /// Judges with this many calls in flight.
  public init(_ judge: any ReplyJudge, callsAtATime: Int = 8) {
    self.judge = judge
    self.callsAtATime = max(1, callsAtATime)
  }

  private struct Answer: Sendable {
    let index: Int
    let result: Result<Verdict, any Error>
  }

  /// Judges all of `exchanges`, equal ones once. Cancelling the task ends it.
  ///
  /// A model that names no class leaves its reply without verdict, and the pass goes on; it fails if that happens on every
  /// reply. A reply in a language that the judge does not know stays without verdict too. Any other failure ends it, after the calls in flight, whose answers are paid for.
  /// - Parameter progress: Told how many different exchanges were judged, of how many.
  public func run(
    on exchanges: [Exchange], progress: @Sendable (_ done: Int, _ planned: Int) -> Void = { _, _ in }
  ) async -> Outcome {
    let places = Dictionary(grouping: exchanges.indices) { exchanges[$0] }
    let questions = places.sorted { $0.value[0] < $1.value[0] }
    var outcome = Outcome(verdicts: Array(repeating: nil, count: exchanges.count), unreadable: 0)
    var firstUnreadable: JudgeError?
    await withTaskGroup(of: Answer.self) { group in
      var next = 0
      var done = 0
      func ask(_ group: inout TaskGroup<Answer>) {
        guard next < questions.count, outcome.failure == nil else { return }
        let index = next
        let question = questions[index].key
        next += 1
        group.addTask { [judge] in
          let result: Result<Verdict, any Error>
          do {
            result = .success(try await judge.judge(prompt: question.prompt, reply: question.reply))
          } catch {
            result = .failure(error)
          }
          return Answer(index: index, result: result)
        }
      }
      for _ in 0..<callsAtATime { ask(&group) }
      while let answer = await group.next() {
        done += 1
        switch answer.result {
        case .success(let verdict):
          for place in questions[answer.index].value { outcome.verdicts[place] = verdict }
        case .failure(let error as JudgeError):
          if case .unreadableAnswer = error {
            firstUnreadable = firstUnreadable ?? error
            outcome.unreadable += questions[answer.index].value.count
          } else if case .unknownLanguage = error {
            outcome.unreadable += questions[answer.index].value.count
          } else {
            outcome.failure = outcome.failure ?? error
          }
        case .failure(let error): outcome.failure = outcome.failure ?? error
        }
        progress(done, questions.count)
        ask(&group)
      }
    }
    if Task.isCancelled { outcome.failure = CancellationError() }
    if outcome.failure == nil, let firstUnreadable, outcome.unreadable == exchanges.count {
      outcome.failure = firstUnreadable
    }
    return outcome
  }
}
