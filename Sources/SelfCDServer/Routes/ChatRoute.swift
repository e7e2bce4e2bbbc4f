import Foundation
import Hummingbird
import SelfCD

/// `POST /v1/chat/completions`.
struct ChatRoute: Sendable {
  let service: GenerationService
  let body: BodyReader

  @Sendable func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
    let scope = context.scope
    let asked = try ChatCompletionRequest(
      try await body.object(request, scope), isStrict: service.policy.isStrict)
    let prepare: @Sendable () async throws -> WaitingJob = { [service, client = context.client] in
      let job = try await service.prepare(
        [asked.chat], asked.fields, rendering: .template, continuation: asked.asked.continuation,
        logProbabilities: asked.wantsLogProbabilities ? asked.topLogProbabilities : nil)
      service.log.prompt(asked.chat)
      return try service.enter(job, client: client)
    }
    if asked.fields.isStreaming {
      let includesUsage = asked.fields.includesUsage
      let stream = EventStream(service: service, scope: scope) {
        writer($0, ReplyIdentity(prefix: "chatcmpl", job: $0), includesUsage: includesUsage)
      }
      return try await stream.response(preparing: prepare)
    }
    let running = try await scope.run { try await prepare().start() }
    return try await whole(running, ReplyIdentity(prefix: "chatcmpl", job: running.job), scope)
  }

  private func whole(
    _ running: RunningJob, _ identity: ReplyIdentity, _ scope: RequestScope
  ) async throws -> Response {
    let choices = try await running.collect(scope)
    let reporter = running.job.reporter
    return APIJSON.response(
      ChatCompletion(
        id: identity.id, created: identity.created, model: identity.model,
        systemFingerprint: identity.fingerprint,
        choices: choices.enumerated().map { index, choice in
          ChatCompletion.Choice(
            index: index,
            message: ChatCompletion.Message(
              content: choice.text, reasoningContent: choice.reasoning.isEmpty ? nil : choice.reasoning),
            logprobs: Nullable(reporter.chat(choice.textTokens)),
            finishReason: choice.summary?.stopReason.finishReason ?? "stop",
            selfcd: reporter.explanation(choice.tokens))
        }, usage: Usage(choices.compactMap(\.summary), prompts: 1),
        selfcd: identity.report(of: choices.compactMap(\.summary))))
  }

  private func writer(
    _ job: GenerationService.Job, _ identity: ReplyIdentity, includesUsage: Bool
  ) -> EventStream.Writer {
    let reporter = job.reporter
    let count = job.requests.count
    @Sendable func chunk(
      _ choices: [ChatChunk.Choice], usage: Usage? = nil, report: DecodingReport? = nil
    ) -> ChatChunk {
      ChatChunk(
        id: identity.id, created: identity.created, model: identity.model,
        systemFingerprint: identity.fingerprint, choices: choices, usage: usage, selfcd: report)
    }
    return EventStream.Writer(
      opening: {
        (0..<count).map { index in
          chunk(
            [ChatChunk.Choice(index: index, delta: ChatChunk.Delta(role: "assistant", content: ""))],
            report: identity.report)
        }
      },
      part: { index, part in
        switch part {
        case .text(let text, let tokens):
          return chunk([
            ChatChunk.Choice(
              index: index, delta: ChatChunk.Delta(content: text), logprobs: Nullable(reporter.chat(tokens)),
              selfcd: reporter.explanation(tokens))
          ])
        case .reasoning(let text, let tokens):
          return chunk([
            ChatChunk.Choice(
              index: index, delta: ChatChunk.Delta(reasoningContent: text),
              selfcd: reporter.explanation(tokens))
          ])
        case .finished(let summary, let tokens):
          guard summary.stopReason != .cancelled else { return nil }
          return chunk(
            [
              ChatChunk.Choice(
                index: index, delta: ChatChunk.Delta(),
                logprobs: Nullable(tokens.isEmpty ? nil : reporter.chat(tokens)),
                finishReason: Nullable(summary.stopReason.finishReason), selfcd: reporter.explanation(tokens))
            ], report: identity.report(of: [summary]))
        }
      },
      closing: { summaries in includesUsage ? chunk([], usage: Usage(summaries, prompts: 1)) : nil })
  }
}

/// What identifies a reply, the same in all its events, and says how it was decoded.
struct ReplyIdentity: Sendable {
  let id: String
  let created: Int
  let model: String
  let fingerprint = "selfcd"
  private let decision: Decision
  private let roles: [LaneRole]
  private let limit: Int?
  private let ignored: IgnoredFields

  init(prefix: String, job: GenerationService.Job) {
    id = prefix + "-" + UUID().uuidString.replacing("-", with: "").lowercased()
    created = Int(Date().timeIntervalSince1970)
    model = job.lease.name
    decision = job.decision
    roles = job.roles
    limit = job.limit
    ignored = job.ignored
  }

  /// How it is decoded, as far as that is known before the reply is there.
  var report: DecodingReport { report(tokens: 0) }

  /// How replies were decoded that are there.
  func report(of summaries: [GenerationSummary]) -> DecodingReport {
    report(tokens: summaries.map(\.generatedTokens).max() ?? 0)
  }

  private func report(tokens: Int) -> DecodingReport {
    DecodingReport(decision.replied(tokens: tokens), lanes: roles, limit: limit, ignored: ignored)
  }
}

extension RunningJob {
  /// All choices, whole.
  ///
  /// - Throws: ``APIError``.
  func collect(_ scope: RequestScope) async throws -> [CollectedChoice] {
    do {
      let choices = try await scope.run { [self] in
        try await withThrowingTaskGroup(of: (Int, CollectedChoice).self) { group in
          for (index, handle) in handles.enumerated() {
            group.addTask { [self] in
              let choice = try await CollectedChoice.collect(reader(handle), onToken: countToken)
              return (index, choice)
            }
          }
          var choices = [CollectedChoice](repeating: CollectedChoice(), count: handles.count)
          for try await (index, choice) in group { choices[index] = choice }
          return choices
        }
      }
      finish(choices.compactMap(\.summary))
      for choice in choices { judge(choice.text, choice.summary?.stopReason ?? .stop) }
      return choices
    } catch {
      cancel()
      logFailure(error)
      throw APIError(engine: error)
    }
  }
}

extension ServerLog {
  /// The last message, where the operator asked for prompts in the log.
  func prompt(_ chat: Chat) {
    guard includesPrompts, let last = chat.messages.last else { return }
    logger.info("prompt: \(last.content.debugDescription)")
  }
}
