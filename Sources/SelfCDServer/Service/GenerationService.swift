import SelfCD
import SelfCDEval

/// Turns requests into generations: policy, model, prompts, limits, lanes, in this order, so that what is
/// wrong is found before anything is spent.
struct GenerationService: Sendable {
  let pool: ModelPool
  let policy: ServerPolicy
  let meter: ClientMeter
  let metrics: ServerMetrics
  let judge: (any LocalReplyJudge)?
  let log: ServerLog
  /// How long a stream may be silent.
  let keepAlive: Duration

  /// How a prompt becomes tokens.
  enum Rendering: Sendable {
    case template
    case text
  }

  /// A request that has passed every check and waits for lanes.
  struct Job: Sendable {
    let lease: ModelLease
    let decision: Decision
    let requests: [GenerationRequest]
    let roles: [LaneRole]
    let reporter: TokenReporter
    /// What a judge is shown as the request; `nil` where replies are not judged.
    let question: String?

    var labels: ServerMetrics.DecodingLabels {
      .init(model: lease.name, strategy: decision.strategy.name)
    }

    /// Prompt and reply tokens at most, as clients are charged for them.
    var mostTokens: Int {
      requests.reduce(requests.first?.longestPrompt ?? 0) { $0 + $1.options.maximumTokens }
    }

    var mostLogProbabilities: Int {
      reporter.reported(lanes: roles.count) * requests.reduce(0) { $0 + $1.options.maximumTokens }
    }
  }

  // MARK: - Preparing

  /// The model a request names, and how it is decoded.
  func resolve(model: String?, _ wish: SelfCDFields) throws(APIError) -> (model: String, decision: Decision) {
    guard let name = model ?? pool.names.first else {
      throw .unavailable("This server has no models.", code: "no_models")
    }
    let alias = try ModelAlias(parsing: name, models: pool.names)
    let profiles = pool.profiles(of: alias.model)
    let wish = try alias.applied(to: wish, profiles: profiles)
    return (alias.model, try policy.decide(wish, profiles: profiles))
  }

  /// Checks a request and renders its prompts.
  ///
  /// - Throws: ``APIError``.
  func prepare(
    _ chat: Chat, _ fields: GenerationFields, rendering: Rendering, logProbabilities: Int?
  ) async throws -> Job {
    let (name, decision) = try resolve(model: fields.model, fields.selfcd)
    try checkAllowed(fields, logProbabilities: logProbabilities)
    let lease = try await pool.lease(name)
    try lease.model.checkLength(of: chat)
    let reporter = TokenReporter(
      vocabulary: lease.model.vocabulary, logProbabilities: logProbabilities, explained: fields.selfcd.explain
    )
    let model = rendering == .template ? lease.model.chat : lease.model.text
    var request: GenerationRequest
    do {
      request = try model.request(
        chat, strategy: decision.strategy, options: options(fields, reporter: reporter))
    } catch {
      // The strategy was checked; what is left is a chat that the template refuses.
      throw APIError.invalid("The chat cannot be rendered: \(error)", param: "messages", code: "bad_chat")
    }
    try fit(&request, asked: fields.maximumTokens, context: lease.model.capacity.context)
    guard request.prompts.count <= lease.queue.lanes, request.lanesToStart <= lease.model.capacity.lanes
    else {
      throw APIError.unavailable(
        "'\(decision.strategy.name)' needs \(request.lanesToStart) lanes; '\(name)' has \(lease.queue.lanes).",
        code: "too_few_lanes")
    }
    if reporter.explained > 0 { request.options.summarizedSteps = request.options.maximumTokens }
    let seed = fields.seed ?? .random(in: .min ... .max)
    let requests = (0..<fields.choices).map { index in
      var choice = request
      choice.options.sampling.seed = seed &+ UInt64(index)
      return choice
    }
    return Job(
      lease: lease, decision: decision, requests: requests,
      roles: LaneRole.allCases.filter { request.prompts[$0] != nil }, reporter: reporter,
      question: rendering == .template ? chat.messages.last?.content : nil)
  }

  private func checkAllowed(_ fields: GenerationFields, logProbabilities: Int?) throws(APIError) {
    guard fields.choices <= policy.maximumChoices else {
      throw .notAllowed(
        "'n' is \(fields.choices), but this server allows \(policy.maximumChoices) choices.", param: "n",
        code: "too_many_choices")
    }
    if let tokens = fields.maximumTokens, tokens > policy.maximumTokens {
      throw .notAllowed(
        "\(tokens) tokens are asked for, but this server allows \(policy.maximumTokens).",
        param: "max_tokens",
        code: "too_many_tokens")
    }
    if logProbabilities != nil, !policy.allowsLogProbabilities {
      throw .notAllowed(
        "This server gives no log-probabilities; its operator switched them off (--no-logprobs).",
        param: "logprobs",
        code: "logprobs_not_allowed")
    }
    if fields.selfcd.explain > 0, !policy.allowsExplanations || !policy.allowsLogProbabilities {
      throw .notAllowed(
        "This server explains no tokens; its operator switched that off (--no-explain, --no-logprobs).",
        param: "selfcd.explain", code: "explain_not_allowed")
    }
  }

  private func options(_ fields: GenerationFields, reporter: TokenReporter) -> GenerationOptions {
    GenerationOptions(
      sampling: SamplingParameters(
        temperature: fields.temperature ?? policy.defaultTemperature, topK: fields.topK, topP: fields.topP,
        minP: fields.minP),
      maximumTokens: fields.maximumTokens ?? min(policy.defaultMaximumTokens, policy.maximumTokens),
      stopStrings: fields.stop, traceCandidates: reporter.traceCandidates)
  }

  /// Sees to it that prompt and reply fit into a lane.
  private func fit(_ request: inout GenerationRequest, asked: Int?, context: Int) throws(APIError) {
    let prompt = request.longestPrompt
    guard prompt < context, (asked ?? 1) <= context - prompt else {
      let reply = asked.map { " and \($0) are asked for" } ?? ""
      throw .invalid(
        "The prompt has \(prompt) tokens\(reply), but this model's context holds \(context). Shorten the messages"
          + (asked == nil ? "." : " or lower 'max_tokens'."), param: "messages",
        code: "context_length_exceeded")
    }
    request.options.maximumTokens = min(request.options.maximumTokens, context - prompt)
  }

  // MARK: - Running

  /// Takes what a job may use out of its client's limits, and a place in the line for lanes.
  ///
  /// - Throws: ``APIError`` (400, 429, 503).
  func enter(_ job: Job, client: Client) throws(APIError) -> WaitingJob {
    let reservation: ClientMeter.Reservation
    do {
      reservation = try meter.reserve(
        tokens: job.mostTokens, logProbabilities: job.mostLogProbabilities, for: client)
    } catch {
      if error.status == .tooManyRequests { metrics.rejected("client_limit") }
      throw error
    }
    do {
      let place = try job.lease.queue.enter(
        lanes: job.requests.reduce(0) { $0 + $1.prompts.count }, client: client.name)
      return WaitingJob(job: job, place: place, reservation: reservation, service: self)
    } catch {
      reservation.settle(tokens: 0, logProbabilities: 0)
      if error.status == .tooManyRequests { metrics.rejected("queue_full") }
      throw error
    }
  }

  /// Says in the log why a generation failed, where the client is only told that it did.
  func logFailure(_ error: any Error, of model: String) {
    guard APIError(engine: error).status == .internalServerError else { return }
    log.error("a generation of '\(model)' failed: \(error)")
  }
}

extension APIError {
  /// What a client is told about a generation that failed.
  init(engine error: any Error) {
    switch error {
    case let error as APIError: self = error
    case BackendError.cacheFull:
      self = .unavailable(
        "The model has no room for this request at the moment.", code: "cache_full", retryAfter: 1)
    case GenerationError.engineStopped, is CancellationError:
      self = .unavailable("The model was stopped.", code: "model_stopped", retryAfter: 5)
    default: self = .fault
    }
  }
}

extension GenerationRequest {
  /// Tokens of the longest lane's prompt.
  var longestPrompt: Int { prompts.values.map(\.count).max() ?? 0 }
}
