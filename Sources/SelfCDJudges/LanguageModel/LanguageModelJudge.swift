/// A language model as judge, behind any OpenAI-compatible endpoint, at temperature 0.
///
/// The transport and the waiting are passed in, so that every path can be tested without network and clock.
/// An answer that names no class counts as a failed attempt: models at temperature 0 still vary.
public struct LanguageModelJudge: ReplyJudge {
  /// The judging model's name at the endpoint.
  public let model: String
  /// What is asked.
  public let rubric: JudgeRubric
  /// How failures are met.
  public let retry: RetryPolicy
  private let transport: any ChatTransport
  private let account: JudgeSpendingLimit.Account
  private let wait: @Sendable (_ seconds: Double) async throws -> Void

  /// Makes a judge.
  /// - Parameters:
  ///   - model: The judging model's name at the endpoint.
  ///   - transport: The way to the endpoint.
  ///   - rubric: What is asked.
  ///   - retry: How failures are met.
  ///   - budget: The most that all calls together may spend.
  ///   - wait: Waits for so many seconds; the default sleeps and ends early when the task is cancelled.
  public init(
    model: String, transport: any ChatTransport, rubric: JudgeRubric = JudgeRubric(), retry: RetryPolicy,
    budget: JudgeSpendingLimit = JudgeSpendingLimit(),
    wait: @escaping @Sendable (_ seconds: Double) async throws -> Void = {
      try await Task.sleep(for: .seconds($0))
    }
  ) {
    self.model = model
    self.transport = transport
    self.rubric = rubric
    self.retry = retry
    self.account = JudgeSpendingLimit.Account(budget)
    self.wait = wait
  }

  /// `llm:` and the model's name.
  public var name: String { "llm:" + model }
  /// The rubric's version, and how much of a reply is shown where that is not the default.
  public var version: String {
    let isUsual = rubric.longestReply == JudgeRubric().longestReply
    return "rubric" + JudgeRubric.version + (isUsual ? "" : "/\(rubric.longestReply)")
  }

  /// Asks the model.
  /// - Throws: `JudgeError` for a used-up budget, an endpoint that keeps failing or an answer that stays
  ///   unreadable; `CancellationError` when the task is cancelled.
  public func judge(prompt: String, reply: String) async throws -> Verdict {
    let request = ChatRequest(
      model: model, messages: rubric.messages(prompt: prompt, reply: reply), temperature: 0, maxTokens: 512)
    var attempt = 1
    while true {
      try Task.checkCancellation()
      try await account.startCall()
      let failure: JudgeError
      var askedFor: Double?
      do throws(ChatTransportFailure) {
        let response = try await transport.send(request)
        await account.spent(tokens: response.tokens)
        do throws(JudgeError) {
          return Verdict(try JudgeRubric.parse(response.text), note: response.text)
        } catch {
          failure = error
        }
      } catch {
        try Task.checkCancellation()
        failure = .endpoint(attempts: attempt, detail: error.detail)
        guard error.isRetryable else { throw failure }
        askedFor = error.retryAfter
      }
      guard let delay = retry.delay(afterAttempt: attempt, askedFor: askedFor) else { throw failure }
      try await wait(delay)
      attempt += 1
    }
  }
}
