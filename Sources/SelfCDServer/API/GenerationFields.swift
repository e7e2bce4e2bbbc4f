import SelfCD
import SelfCDEval

/// What chat completions and completions have in common: how to draw, when to stop, what to report.
struct GenerationFields: Sendable, Hashable {
  var model: String?
  var choices = 1
  var stop: [String] = []
  var seed: UInt64?
  var temperature: Float?
  var topP: Float?
  var topK: Int?
  var minP: Float?
  var maximumTokens: Int?
  var isStreaming = false
  var includesUsage = false
  var selfcd = SelfCDFields()

  /// Most stop strings of a request, and bytes of each: they are looked for behind every token.
  static let mostStops = 16
  static let longestStop = 256

  init(_ reader: inout FieldReader) throws(FieldError) {
    model = try reader.string("model")
    choices = try reader.integer("n", in: 1...1024) ?? 1
    stop = try Self.stop(&reader)
    seed = try reader.integer("seed").map { UInt64(bitPattern: Int64($0)) }
    temperature = try reader.number("temperature", in: 0...100).map(Float.init)
    topP = try reader.number("top_p", in: 0...1).map(Float.init)
    if topP == 0 { throw FieldError("'top_p' is 0, but it must be greater than 0.", field: "top_p") }
    topK = try reader.integer("top_k", in: 1...(.max))
    minP = try reader.number("min_p", in: 0...1).map(Float.init)
    let limit = try reader.integer("max_tokens", in: 1...(.max))
    let completionLimit = try reader.integer("max_completion_tokens", in: 1...(.max))
    if let limit, let completionLimit, limit != completionLimit {
      throw FieldError(
        "'max_tokens' and 'max_completion_tokens' differ. Give one of them.", field: "max_completion_tokens")
    }
    maximumTokens = completionLimit ?? limit
    isStreaming = try reader.bool("stream") ?? false
    if var options = try reader.object("stream_options") {
      guard isStreaming else {
        throw FieldError("'stream_options' goes with 'stream': true.", field: "stream_options")
      }
      includesUsage = try options.bool("include_usage") ?? false
      try options.refuse(
        "include_obfuscation", unless: { $0 == .bool(false) }, because: "chunks are not padded.")
      try options.finish()
    }
    if var extras = try reader.object("selfcd") { selfcd = try SelfCDFields(&extras) }
    try Self.refuseWhatIsNotBuilt(&reader)
    reader.ignore(Self.harmless)
  }

  /// Fields that name the caller or the call and have no bearing on the reply.
  private static let harmless = ["user", "metadata", "safety_identifier", "prompt_cache_key"]

  private static func refuseWhatIsNotBuilt(_ reader: inout FieldReader) throws(FieldError) {
    try reader.refuse("store", unless: { $0 == .bool(false) }, because: "this server stores no replies.")
    try reader.refuse(
      "service_tier", unless: { [.string("auto"), .string("default")].contains($0) },
      because: "there is one tier.")
    for name in ["frequency_penalty", "presence_penalty"] {
      try reader.refuse(
        name, unless: { $0.double == 0 },
        because:
          "scores are combined from two prompts and not changed by what was said before. Leave it at 0.")
    }
    try reader.refuse(
      "repeat_penalty", unless: { $0.double == 1 }, because: "tokens are not penalised. Leave it at 1.")
    try reader.refuse(
      "logit_bias", unless: \.isEmpty,
      because: "a bias could undo what the operator allows. Leave it out.")
  }

  private static func stop(_ reader: inout FieldReader) throws(FieldError) -> [String] {
    let stops: [String]
    switch reader.value("stop") {
    case nil: return []
    case .string(let text): stops = [text]
    case .array(let items):
      stops = items.compactMap { if case .string(let text) = $0 { text } else { nil } }
      guard stops.count == items.count else {
        throw FieldError("'stop' must be a string or a list of strings.", field: "stop")
      }
    case let value?:
      throw FieldError(
        "'stop' is \(value.kind), but it must be a string or a list of strings.", field: "stop")
    }
    guard stops.count <= mostStops else {
      throw FieldError("'stop' holds \(stops.count) strings; at most \(mostStops) are taken.", field: "stop")
    }
    guard stops.allSatisfy({ !$0.isEmpty && $0.utf8.count <= longestStop }) else {
      throw FieldError("Each string in 'stop' must have 1 to \(longestStop) bytes.", field: "stop")
    }
    return stops
  }
}

/// The extras under the key `selfcd`: what a client wishes, within what the operator allows.
struct SelfCDFields: Sendable, Hashable {
  var strategy: String?
  /// The strategy's numbers.
  var parameters = StrategyParameters()
  var profile: String?
  var guardedPrompt: String?
  /// Candidates of each lane to report at every token; 0 for no explanation.
  var explain = 0

  static let explainedCandidates = 5

  init() {}

  init(_ reader: inout FieldReader) throws(FieldError) {
    strategy = try reader.string("strategy")
    parameters.alpha = try reader.number("alpha").map(Float.init)
    parameters.beta = try reader.number("beta").map(Float.init)
    parameters.steps = try reader.integer("steps", in: 1...(.max))
    parameters.agreement = try reader.number("agreement").map(Float.init)
    parameters.doubt = try reader.number("doubt").map(Float.init)
    parameters.probes = try reader.integer("probes", in: 0...(.max))
    profile = try reader.string("profile")
    guardedPrompt = try reader.string("guarded_prompt")
    explain = try reader.bool("explain") == true ? Self.explainedCandidates : 0
    if let count = try reader.integer("candidates", in: 1...20) {
      guard explain > 0 else {
        throw FieldError("'selfcd.candidates' goes with 'selfcd.explain': true.", field: "selfcd.candidates")
      }
      explain = count
    }
    try reader.finish()
  }

  /// Whether a parameter of a strategy is given.
  var hasParameters: Bool { !parameters.given.isEmpty || guardedPrompt != nil }
}
