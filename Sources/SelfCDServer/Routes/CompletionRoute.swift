import Hummingbird
import SelfCD

/// `POST /v1/completions`: continues texts as they are. A guarded prompt stands before each, followed by an empty line.
struct CompletionRoute: Sendable {
  let service: GenerationService
  let body: BodyReader

  @Sendable func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
    let scope = context.scope
    let asked = try CompletionRequest(
      try await body.object(request, scope), isStrict: service.policy.isStrict)
    let chats = asked.prompts.map { Chat(question: $0) }
    let prepare: @Sendable () async throws -> WaitingJob = { [service, client = context.client] in
      let job = try await service.prepare(
        chats, asked.fields, rendering: .text, logProbabilities: asked.logProbabilities)
      for chat in chats { service.log.prompt(chat) }
      return try service.enter(job, client: client)
    }
    if asked.fields.isStreaming {
      let includesUsage = asked.fields.includesUsage
      let stream = EventStream(service: service, scope: scope) {
        writer($0, ReplyIdentity(prefix: "cmpl", job: $0), includesUsage: includesUsage)
      }
      return try await stream.response(preparing: prepare)
    }
    let running = try await scope.run { try await prepare().start() }
    return try await whole(running, ReplyIdentity(prefix: "cmpl", job: running.job), scope)
  }

  private func completion(
    _ identity: ReplyIdentity, _ choices: [TextCompletion.Choice], usage: Usage? = nil,
    report: DecodingReport? = nil
  ) -> TextCompletion {
    TextCompletion(
      id: identity.id, created: identity.created, model: identity.model,
      systemFingerprint: identity.fingerprint, choices: choices, usage: usage, selfcd: report)
  }

  private func whole(
    _ running: RunningJob, _ identity: ReplyIdentity, _ scope: RequestScope
  ) async throws -> Response {
    let choices = try await running.collect(scope)
    let reporter = running.job.reporter
    return APIJSON.response(
      completion(
        identity,
        choices.enumerated().map { index, choice in
          TextCompletion.Choice(
            index: index, text: choice.reasoning + choice.text,
            logprobs: Nullable(reporter.text(choice.tokens, offset: 0)),
            finishReason: Nullable(choice.summary?.stopReason.finishReason),
            selfcd: reporter.explanation(choice.tokens))
        }, usage: Usage(choices.compactMap(\.summary), prompts: running.job.prompts),
        report: identity.report(of: choices.compactMap(\.summary))))
  }

  private func writer(
    _ job: GenerationService.Job, _ identity: ReplyIdentity, includesUsage: Bool
  ) -> EventStream.Writer {
    let reporter = job.reporter
    let offsets = Offsets(count: job.requests.count)
    return EventStream.Writer(
      opening: {
        // Clients look at the first choice of every event.
        (0..<job.requests.count).map {
          completion(identity, [TextCompletion.Choice(index: $0, text: "")], report: identity.report)
        }
      },
      part: { index, part in
        switch part {
        case .text(let text, let tokens), .reasoning(let text, let tokens):
          let offset = offsets.advance(index, by: tokens)
          return completion(
            identity,
            [
              TextCompletion.Choice(
                index: index, text: text, logprobs: Nullable(reporter.text(tokens, offset: offset)),
                selfcd: reporter.explanation(tokens))
            ])
        case .finished(let summary, let tokens):
          guard summary.stopReason != .cancelled else { return nil }
          let offset = offsets.advance(index, by: tokens)
          return completion(
            identity,
            [
              TextCompletion.Choice(
                index: index, text: "",
                logprobs: Nullable(tokens.isEmpty ? nil : reporter.text(tokens, offset: offset)),
                finishReason: Nullable(summary.stopReason.finishReason), selfcd: reporter.explanation(tokens))
            ], report: identity.report(of: [summary]))
        }
      },
      closing: { summaries in
        includesUsage
          ? completion(identity, [], usage: Usage(summaries, prompts: job.prompts)) : nil
      })
  }
}
