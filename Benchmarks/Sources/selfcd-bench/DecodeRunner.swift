import SelfCD
import SelfCDLlama

/// One measured generation.
struct DecodeResult {
  let tokens: [TokenID]
  let total: Elapsed
  /// Seconds from the request to the first token.
  let firstToken: Double

  /// Tokens per second behind the first one.
  var decodingSpeed: Double { Double(tokens.count - 1) / (total.seconds - firstToken) }
}

/// Generates in one mode. Each runner has a context of its own over the shared weights, so that no mode finds the
/// others' prompts in its cache.
struct DecodeRunner {
  let mode: DecodeMode
  let stepMode: StepMode?
  private let engine: Engine?
  private let bare: BareLoop?

  static let alpha: Float = 2.5

  init(_ mode: DecodeMode, model: LlamaModel, options: LlamaOptions) async throws {
    self.mode = mode
    if mode == .bare {
      engine = nil
      stepMode = nil
      bare = BareLoop(try LlamaBackend(model: model, options: options, abort: AbortSignal()))
    } else {
      let fixed: StepMode? =
        switch mode {
        case .auto: nil
        case .separate: .separate
        case .plain, .batched, .bare: .batched
        }
      let engine = try await Engine.start(stepMode: fixed) { abort in
        EndlessBackend(try LlamaBackend(model: model, options: options, abort: abort))
      }
      stepMode = await engine.stepMode
      self.engine = engine
      bare = nil
    }
  }

  func run(_ prompts: PromptPair, _ newTokens: Int) async throws -> DecodeResult {
    if let bare { return try bare.run(prompts, newTokens) }
    let rule = mode == .plain ? Plain().makeRule() : SelfContrastive(alpha: Self.alpha).makeRule()
    let request = GenerationRequest(
      prompts: mode == .plain
        ? [.plain: prompts.plain] : [.guarded: prompts.guarded, .plain: prompts.plain],
      rule: rule, options: GenerationOptions(maximumTokens: newTokens))
    let watch = Stopwatch()
    guard let reply = try await engine?.generate(request).reply() else {
      throw GenerationError.engineStopped
    }
    let elapsed = watch.elapsed()
    return DecodeResult(
      tokens: reply.tokens.map(\.id), total: elapsed,
      firstToken: reply.summary.timeToFirstToken.inSeconds)
  }

  func shutdown() async {
    await engine?.shutdown()
  }
}

/// The least that Self-CD needs around a backend: one call, one maximum, no events, no text.
private struct BareLoop {
  private let backend: LlamaBackend
  private let lanes = [LaneID(0), LaneID(1)]

  init(_ backend: LlamaBackend) {
    self.backend = backend
  }

  func run(_ prompts: PromptPair, _ newTokens: Int) throws -> DecodeResult {
    lanes.forEach(backend.clearLane)
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    var tokens: [TokenID] = []
    let watch = Stopwatch()
    try decode([prompts.guarded, prompts.plain], into: &rows)
    tokens.append(best(of: rows))
    let firstToken = watch.elapsed().seconds
    while tokens.count < newTokens {
      let last = tokens.suffix(1)
      try decode([Array(last), Array(last)], into: &rows)
      tokens.append(best(of: rows))
    }
    return DecodeResult(tokens: tokens, total: watch.elapsed(), firstToken: firstToken)
  }

  private func decode(_ tokens: [[TokenID]], into rows: inout LogitRows) throws {
    rows.removeAll()
    try backend.decode(
      zip(lanes, tokens).map { LaneAppend(lane: $0, tokens: $1[...], logits: .last) }, into: &rows)
  }

  private func best(of rows: LogitRows) -> TokenID {
    Contrast.argmax(guarded: rows[0], plain: rows[1], alpha: DecodeRunner.alpha)?.token ?? 0
  }
}
