import SelfCD
import SelfCDJudges

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
  let running = RunningCount()

  /// How a prompt becomes tokens.
  enum Rendering: Sendable {
    case template
    case text
  }

  /// A request that has passed every check and waits for lanes.
  struct Job: Sendable {
    let lease: ModelLease
    let decision: Decision
    /// One for each choice: all those of the first prompt, then those of the second.
    let requests: [GenerationRequest]
    /// How many prompts they are for.
    let prompts: Int
    let roles: [LaneRole]
    let reporter: TokenReporter
    /// What a judge is shown as the request; `nil` where replies are not judged.
    let question: String?
    /// What the request holds and this server leaves aside.
    let ignored: IgnoredFields
    /// The most tokens of a choice, where fewer than were asked for.
    let limit: Int?

    var labels: ServerMetrics.DecodingLabels {
      .init(model: lease.name, strategy: decision.strategy.name)
    }

    /// Tokens of the prompts, each in its longest lane.
    var promptTokens: Int {
      Self.firsts(of: requests, prompts: prompts).reduce(0) { $0 + $1.longestPrompt }
    }

    /// Prompt and reply tokens at most, as clients are charged for them.
    var mostTokens: Int { requests.reduce(promptTokens) { $0 + $1.options.maximumTokens } }

    /// The first of each prompt's choices.
    static func firsts<Choice>(of choices: [Choice], prompts: Int) -> [Choice] {
      stride(from: 0, to: choices.count, by: max(1, choices.count / max(1, prompts))).map { choices[$0] }
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

  /// The strategy for a rendering: behind a text that is continued, a safety prompt would itself be continued, so that
  /// it stands before the text there.
  private static func strategy(
    _ strategy: any DecodingStrategy, _ rendering: Rendering
  ) -> any DecodingStrategy {
    var parameters = strategy.parameters
    guard rendering == .text, parameters.emphasisPosition == .lastTurn else { return strategy }
    parameters.emphasisPosition = .start
    return (try? StrategyCatalogue.make(strategy.name, parameters)) ?? strategy
  }

  /// Checks a request and renders its prompts.
  ///
  /// - Parameters:
  ///   - chats: one for each prompt.
  ///   - fields: how to draw, when to stop, what to report.
  ///   - rendering: how a prompt becomes tokens.
  ///   - continuation: the field that asks for the chats' last messages, the assistant's, to be continued (``AskedChat``).
  ///   - logProbabilities: candidates to report at each token; `nil` for none.
  /// - Throws: ``APIError``.
  func prepare(
    _ chats: [Chat], _ fields: GenerationFields, rendering: Rendering, continuation: String? = nil,
    logProbabilities: Int?
  ) async throws -> Job {
    let (name, resolved) = try resolve(model: fields.model, fields.selfcd)
    try checkContinuation(continuation)
    try checkAllowed(fields, prompts: chats.count, logProbabilities: logProbabilities)
    let lease = try await pool.lease(name)
    try check(fields.bias, lease.model.vocabulary, model: name)
    let field = rendering == .template ? "messages" : "prompt"
    for chat in chats { try lease.model.checkLength(of: chat, field: field) }
    try checkNegativePrompt(of: resolved.strategy, beside: chats, lease.model)
    let reporter = TokenReporter(
      vocabulary: lease.model.vocabulary, logProbabilities: logProbabilities, explained: fields.selfcd.explain
    )
    let options = options(fields, reporter: reporter)
    let decision = resolved.used(
      with: options, on: chats, isContinued: continuation != nil, isTemplated: rendering == .template,
      hasFormat: fields.format != .text)
    let constraint = try constraint(fields, lease.model)
    let model = rendering == .template ? lease.model.chat : lease.model.text
    let strategy = Self.strategy(decision.strategy, rendering)
    let seed = fields.seed ?? .random(in: .min ... .max)
    var requests: [GenerationRequest] = []
    for chat in chats {
      var request: GenerationRequest
      do {
        request = try model.request(
          chat, strategy: strategy, options: options, isContinued: continuation != nil, constraint: constraint
        )
      } catch let error as ConstraintError {
        throw APIError.invalid("\(error)", param: fields.formatField)
      } catch {
        // The strategy was checked; what is left is a chat that the template refuses.
        throw APIError.invalid("The chat cannot be rendered: \(error)", param: field, code: "bad_chat")
      }
      try fit(&request, fields, context: lease.model.capacity.context, field: field)
      guard request.prompts.count <= lease.queue.lanes, request.lanesToStart <= lease.model.capacity.lanes
      else {
        throw APIError.unavailable(
          "'\(decision.strategy.name)' needs \(request.lanesToStart) lanes; '\(name)' has \(lease.queue.lanes).",
          code: "too_few_lanes")
      }
      if reporter.explained > 0 { request.options.summarizedSteps = request.options.maximumTokens }
      // The same for each prompt, so that a list draws what its texts alone would.
      for index in 0..<fields.choices {
        request.options.sampling.seed = seed &+ UInt64(index)
        requests.append(request)
      }
    }
    metrics.ignored(fields.ignored)
    let least = requests.map(\.options.maximumTokens).min() ?? 0
    return Job(
      lease: lease, decision: decision, requests: requests, prompts: chats.count,
      roles: LaneRole.allCases.filter { requests.first?.prompts[$0] != nil }, reporter: reporter,
      // What goes on with a beginning is no reply by itself.
      question: rendering == .template && continuation == nil ? chats.first?.question : nil,
      ignored: fields.ignored,
      limit: fields.askedTokens.flatMap { least < $0.count ? least : nil })
  }

  private func checkAllowed(
    _ fields: GenerationFields, prompts: Int, logProbabilities: Int?
  ) throws(APIError) {
    guard fields.choices <= policy.maximumChoices else {
      throw .invalid(
        "'n' is \(fields.choices), but this server allows \(policy.maximumChoices) choices (--max-choices).",
        param: "n", code: "too_many_choices")
    }
    guard prompts <= policy.maximumChoices / fields.choices else {
      throw .invalid(
        """
        \(prompts) prompts with \(fields.choices) each are more than the \(policy.maximumChoices) choices that this \
        server allows (--max-choices). Send fewer at a time.
        """, param: "prompt", code: "too_many_choices")
    }
    if policy.isStrict, let asked = fields.askedTokens, asked.count > policy.maximumTokens {
      throw .invalid(
        "\(asked.count) tokens are asked for, but this server allows \(policy.maximumTokens) (--max-tokens-limit).",
        param: asked.field, code: "too_many_tokens")
    }
    if logProbabilities != nil, !policy.allowsLogProbabilities {
      throw .notAllowed(
        "This server gives no log-probabilities; its operator switched them off (--no-logprobs).",
        param: "logprobs",
        code: "logprobs_not_allowed")
    }
    if !fields.bias.isEmpty, !policy.allowsLogitBias {
      throw .notAllowed(
        "This server takes no 'logit_bias', which could undo how it decodes. Its operator can allow it "
          + "(--allow-logit-bias).", param: "logit_bias", code: "logit_bias_not_allowed")
    }
    if fields.selfcd.explain > 0, !policy.allowsExplanations || !policy.allowsLogProbabilities {
      throw .notAllowed(
        "This server explains no tokens; its operator switched that off (--no-explain, --no-logprobs).",
        param: "selfcd.explain", code: "explain_not_allowed")
    }
  }

  /// Whether a chat may end with the beginning of the assistant's reply.
  ///
  /// - Parameter field: what asks for that; `nil` where nothing does.
  /// - Throws: ``APIError`` (400): to a server that does not do it, such a chat is none that can be answered.
  func checkContinuation(_ field: String?) throws(APIError) {
    guard let field, !policy.allowsPrefill else { return }
    throw .invalid(
      "The chat ends with the assistant's own turn, and this server does not go on with words that a client puts into the "
        + "model's mouth. End it with the user message to be answered. Its operator can allow it (--allow-prefill).",
      param: field, code: "prefill_not_allowed")
  }

  private func options(_ fields: GenerationFields, reporter: TokenReporter) -> GenerationOptions {
    var options = GenerationOptions(
      sampling: SamplingParameters(
        temperature: fields.temperature ?? policy.defaultTemperature, topK: fields.topK, topP: fields.topP,
        minP: fields.minP, typicalP: fields.typicalP, topNSigma: fields.topNSigma),
      maximumTokens: min(
        // A client that names the least alone does not ask for less than that.
        fields.maximumTokens ?? max(policy.defaultMaximumTokens, fields.minimumTokens),
        policy.maximumTokens),
      stopStrings: fields.stop, traceCandidates: reporter.traceCandidates, penalties: fields.penalties)
    options.bias = fields.bias
    options.minimumTokens = fields.minimumTokens
    options.ignoresEnd = fields.ignoresEnd
    return options
  }

  /// - Throws: ``APIError`` for a negative prompt that cannot fit, or that must not be one.
  func checkNegativePrompt(
    of strategy: any DecodingStrategy, beside chats: [Chat], _ model: ServedModel
  ) throws(APIError) {
    guard let guidance = strategy as? Guidance else { return }
    try model.checkLength(of: Chat(question: guidance.negativePrompt), field: "selfcd.negative_prompt")
    try policy.checkNegativePrompt(of: guidance, beside: chats)
  }

  /// What the replies have to keep to; nil for nothing.
  private func constraint(
    _ fields: GenerationFields, _ model: ServedModel
  ) throws(APIError) -> (any TokenConstraint)? {
    guard fields.format != .text else { return nil }
    guard policy.allowsGrammar || !fields.format.isClientsOwn else {
      throw .notAllowed(
        "This server takes no schemas and grammars of clients, which can put words into the model's mouth; "
          + "{\"type\": \"json_object\"} is allowed. Its operator can allow them (--allow-grammar).",
        param: fields.formatField, code: "grammar_not_allowed")
    }
    guard let make = model.constraint else {
      throw .invalid("This model cannot be held to a format.", param: fields.formatField)
    }
    do {
      return try make(fields.format)
    } catch {
      throw .invalid("\(error)", param: fields.formatField, code: "bad_format")
    }
  }

  /// A bias on a token that the model does not have would have no effect.
  private func check(
    _ bias: [TokenID: Float], _ vocabulary: any Vocabulary, model: String
  ) throws(APIError) {
    guard let token = bias.keys.sorted().last, token >= vocabulary.count else { return }
    throw .invalid(
      "'logit_bias' names token \(token), but '\(model)' has the tokens 0 to \(vocabulary.count - 1); POST /tokenize "
        + "tells a text's.", param: "logit_bias")
  }

  /// Sees to it that prompt and reply fit into a lane: the limit of a reply is the most it may have, so that it is cut
  /// to what is left.
  private func fit(
    _ request: inout GenerationRequest, _ fields: GenerationFields, context: Int, field: String
  ) throws(APIError) {
    let prompt = request.longestPrompt
    let left = context - prompt
    guard left > 0 else {
      throw .contextExceeded(
        context, "your \(field) came to \(prompt) tokens. Shorten the \(field).", param: field)
    }
    if policy.isStrict, let asked = fields.askedTokens, asked.count > left {
      throw .contextExceeded(
        context, "your \(field) came to \(prompt) tokens and '\(asked.field)' is \(asked.count). Lower it.",
        param: asked.field)
    }
    request.options.maximumTokens = min(request.options.maximumTokens, left)
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
