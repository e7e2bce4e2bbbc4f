import SelfCD
import Synchronization

/// Generations in progress, with everything that has to be given back when they are over. Letting go of it
/// cancels what still runs.
final class RunningJob: Sendable {
  let job: GenerationService.Job
  let handles: [GenerationHandle]
  private let reservation: ClientMeter.Reservation
  private let service: GenerationService
  /// Tokens that were generated so far.
  private let tokens = Atomic(0)
  private let summaries = Mutex<[GenerationSummary]>([])

  init(
    job: GenerationService.Job, handles: [GenerationHandle], reservation: ClientMeter.Reservation,
    service: GenerationService
  ) {
    self.job = job
    self.handles = handles
    self.reservation = reservation
    self.service = service
    service.running.add(1)
  }

  deinit {
    service.running.add(-1)
    cancel()
    // Whoever goes away early pays for what was generated until then.
    settle(generated: tokens.load(ordering: .relaxed))
  }

  /// What reads a choice.
  func reader(_ handle: GenerationHandle) -> ChoiceReader {
    ChoiceReader(handle, marksReasoning: job.requests.first?.reasoning != nil)
  }

  /// Frees the lanes at the end of the running step.
  func cancel() { for handle in handles { handle.cancel() } }

  /// Counts what was generated.
  func finish(_ summaries: [GenerationSummary]) {
    settle(generated: summaries.reduce(0) { $0 + $1.generatedTokens })
    for summary in summaries { service.metrics.finished(summary, job.labels) }
  }

  /// Takes one choice's end; the last one finishes the job.
  func finished(_ summary: GenerationSummary) {
    let all = summaries.withLock { summaries in
      summaries.append(summary)
      return summaries
    }
    if all.count == handles.count { finish(all) }
  }

  /// The first call counts.
  private func settle(generated: Int) {
    reservation.settle(
      tokens: generated + job.promptTokens,
      logProbabilities: generated * job.reporter.reported(lanes: job.roles.count))
  }

  func logFailure(_ error: any Error) { service.logFailure(error, of: job.lease.name) }

  /// Counts a judge's verdict on a reply.
  ///
  /// - Parameter stopReason: why it ended; a reply that was cut before it refused is no sign of compliance.
  func judge(_ reply: String, _ stopReason: StopReason) {
    guard let judge = service.judge, let question = job.question else { return }
    // A reply in a language that the judge does not know is not counted.
    guard let verdict = try? judge.verdict(prompt: question, reply: reply).replyClass else { return }
    let isOpen = stopReason == .length && verdict == .fullCompliance
    service.metrics.judged(isOpen ? nil : verdict, by: judge.name, job.labels)
  }

  func countToken() {
    tokens.add(1, ordering: .relaxed)
    service.metrics.generatedToken()
  }
}

/// How many jobs are in progress.
final class RunningCount: Sendable {
  private let value = Atomic(0)

  var count: Int { value.load(ordering: .relaxed) }

  fileprivate func add(_ change: Int) { value.add(change, ordering: .relaxed) }
}

/// A choice that has been collected whole.
struct CollectedChoice: Sendable {
  var text = ""
  var reasoning = ""
  /// Tokens of the text, and those of all that was generated.
  var textTokens: [GeneratedToken] = []
  var tokens: [GeneratedToken] = []
  var summary: GenerationSummary?

  /// - Throws: what the generation throws, or `CancellationError` where it was cancelled.
  static func collect(_ reader: ChoiceReader, onToken: () -> Void) async throws -> CollectedChoice {
    var reader = reader
    var choice = CollectedChoice()
    while let part = try await reader.next(onToken: onToken) {
      switch part {
      case .text(let text, let tokens):
        choice.text += text
        choice.textTokens += tokens
        choice.tokens += tokens
      case .reasoning(let text, let tokens):
        choice.reasoning += text
        choice.tokens += tokens
      case .finished(let summary, let tokens):
        choice.textTokens += tokens
        choice.tokens += tokens
        choice.summary = summary
      }
    }
    guard let summary = choice.summary, summary.stopReason != .cancelled else { throw CancellationError() }
    return choice
  }
}

extension StopReason {
  /// As clients read it.
  var finishReason: String {
    switch self {
    case .stop, .stopString: "stop"
    case .length: "length"
    case .cancelled: "cancelled"
    }
  }
}
