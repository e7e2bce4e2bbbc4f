import SelfCD
import SelfCDSupport

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
  var typicalP: Float?
  var topNSigma: Float?
  var penalties = Penalties.none
  /// What is added to the scores of tokens.
  var bias: [TokenID: Float] = [:]
  /// The model's turn does not end before this many tokens.
  var minimumTokens = 0
  /// The model's turn does not end at all.
  var ignoresEnd = false
  /// What the reply has to look like, and the field that asks for it.
  var format = ReplyFormat.text
  var formatField = "response_format"
  /// The most tokens that are asked for, and the field that says so.
  var maximumTokens: Int?
  var limitField = "max_tokens"
  var isStreaming = false
  var includesUsage = false
  var selfcd = SelfCDFields()
  /// What the whole request holds and this server leaves aside.
  var ignored = IgnoredFields()

  /// How many tokens are asked for, and the field that does: the most, or else the least, which needs as many.
  var askedTokens: (count: Int, field: String)? {
    if let maximumTokens { return (count: maximumTokens, field: limitField) }
    return minimumTokens > 0 ? (count: minimumTokens, field: "min_tokens") : nil
  }

  /// Most stop strings of a request, and bytes of each: they are looked for behind every token.
  static let mostStops = 16
  static let longestStop = 256
  /// Most tokens of a bias: it is added at every step.
  static let mostBiased = 1024

  init(_ reader: inout FieldReader) throws(FieldError) {
    model = try reader.string("model")
    choices = try reader.integer("n", in: 1...1024) ?? 1
    stop = try Self.stop(&reader)
    seed = try reader.bits("seed")
    temperature = try reader.number("temperature", in: 0...100).map(Float.init)
    topP = try reader.number("top_p", in: 0...1).map(Float.init)
    if topP == 0 {
      // The smallest nucleus is the best token alone.
      topP = nil
      temperature = 0
    }
    // vLLM switches the filter off by -1, llama.cpp by 0.
    topK = try reader.integer("top_k", in: -1...(.max)).flatMap { $0 < 1 ? nil : $0 }
    minP = try reader.number("min_p", in: 0...1).map(Float.init)
    for field in Self.mayBeNothing { reader.ignore(field) { $0.isNothing } }
    typicalP = try reader.number("typical_p", in: 0...1).map(Float.init)
    guard typicalP != 0 else {
      throw FieldError(
        "'typical_p' is 0, but it must be greater than 0 and at most 1; 1 is off.", field: "typical_p")
    }
    if typicalP == 1 { typicalP = nil }
    // llama.cpp switches the filter off by -1.
    topNSigma = try reader.number("top_n_sigma", in: -1...1e6).map(Float.init)
      .flatMap { $0 > 0 ? $0 : nil }
    penalties = try Self.penalties(&reader)
    bias = try Self.bias(&reader)
    (format, formatField) = try ReplyFormat.taken(from: &reader)
    for field in ["max_tokens", "max_completion_tokens"] {
      // No limit of the client's own, as LM Studio and llama.cpp write it.
      reader.ignore(field) { $0.wholeNumber == -1 }
    }
    let limit = try reader.integer("max_tokens", in: 1...(.max))
    let completionLimit = try reader.integer("max_completion_tokens", in: 1...(.max))
    if let limit, let completionLimit, limit != completionLimit {
      throw FieldError(
        "'max_tokens' and 'max_completion_tokens' differ. Give one of them.", field: "max_completion_tokens")
    }
    maximumTokens = completionLimit ?? limit
    minimumTokens = try reader.integer("min_tokens", in: 0...(.max)) ?? 0
    if let maximumTokens, minimumTokens > maximumTokens {
      throw FieldError(
        "'min_tokens' is \(minimumTokens), more than the \(maximumTokens) tokens that the reply may have.",
        field: "min_tokens")
    }
    ignoresEnd = try reader.bool("ignore_eos") ?? false
    if completionLimit != nil { limitField = "max_completion_tokens" }
    isStreaming = try reader.bool("stream") ?? false
    if var options = try reader.object("stream_options") {
      // Has no meaning without a stream, and does no harm there.
      includesUsage = try options.bool("include_usage") ?? false
      for field in ["include_obfuscation", "continuous_usage_stats"] {
        options.ignore(field) { $0 == .bool(false) }
      }
      try options.finish()
      reader.adopt(options)
    }
    if var extras = try reader.object("selfcd", isStrict: true) { selfcd = try SelfCDFields(&extras) }
    try SelfCDFields.refuseAtTopLevel(reader)
    reader.ignore("best_of") { [choices] in $0.wholeNumber == choices }
    try reader.refuse("best_of", because: "every choice that is generated is returned; use 'n'.")
    try UnbuiltField.refuse(UnbuiltField.common, in: &reader)
    reader.ignore(Self.harmless + UnbuiltField.idle)
    reader.ignore("store") { $0 == .bool(false) }
    reader.ignore("service_tier") { [.string("auto"), .string("default")].contains($0) }
  }

  /// Fields that name the caller or the call and have no bearing on the reply.
  private static let harmless = [
    "user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "request_id",
  ]

  /// Fields that clients send empty where they ask for nothing.
  private static let mayBeNothing = [
    "frequency_penalty", "presence_penalty", "min_tokens", "ignore_eos", "logit_bias",
  ]

  private static func penalties(_ reader: inout FieldReader) throws(FieldError) -> Penalties {
    let field = "repetition_penalty"
    var penalties = Penalties(repetition: try reader.number(field).map(Float.init) ?? 1)
    do {
      try penalties.validate()
    } catch {
      throw FieldError(
        "'\(field)' is \(penalties.repetition), but it must be greater than 0 and at most 10; 1 is off.",
        field: field)
    }
    if !penalties.isNeutral { try UnbuiltField.refuse(UnbuiltField.ofPenalties, in: &reader) }
    penalties.frequency = try reader.number("frequency_penalty", in: -2...2).map(Float.init) ?? 0
    penalties.presence = try reader.number("presence_penalty", in: -2...2).map(Float.init) ?? 0
    return penalties
  }

  /// OpenAI's form: an object of tokens' numbers. Whether the model has such tokens is known later.
  private static func bias(_ reader: inout FieldReader) throws(FieldError) -> [TokenID: Float] {
    let field = "logit_bias"
    guard let value = reader.value(field) else { return [:] }
    guard case .object(let object) = value else {
      throw FieldError(
        "'\(field)' is \(value.kind), but it must be an object of tokens' numbers, as in {\"13\": -5}.",
        field: field)
    }
    guard object.count <= mostBiased else {
      throw FieldError(
        "'\(field)' holds \(object.count) tokens; at most \(mostBiased) are taken.", field: field)
    }
    var bias: [TokenID: Float] = [:]
    for (name, value) in object.sorted(by: { $0.key < $1.key }) {
      guard let token = TokenID(name), token >= 0 else {
        throw FieldError("'\(field)' names '\(name.prefix(40))', which is no token's number.", field: field)
      }
      guard let number = value.double, (-100...100).contains(number) else {
        throw FieldError("'\(field)' of token \(token) must be a number from -100 to 100.", field: field)
      }
      if number != 0 { bias[token] = Float(number) }
    }
    return bias
  }

  private static func stop(_ reader: inout FieldReader) throws(FieldError) -> [String] {
    var stops: [String]
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
    // An empty text stops nothing; clients send it where a field of theirs is empty.
    stops.removeAll(where: \.isEmpty)
    guard stops.count <= mostStops else {
      throw FieldError("'stop' holds \(stops.count) strings; at most \(mostStops) are taken.", field: "stop")
    }
    guard stops.allSatisfy({ $0.utf8.count <= longestStop }) else {
      throw FieldError("Each string in 'stop' must have at most \(longestStop) bytes.", field: "stop")
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
  /// What guidance moves away from.
  var negativePrompt: String?
  /// Candidates of each lane to report at every token; 0 for no explanation.
  var explain = 0
  /// The model's name, where that says how to decode in place of `strategy` or `profile`.
  var alias: ModelAlias?

  static let explainedCandidates = 5

  init() {}

  init(_ reader: inout FieldReader) throws(FieldError) {
    strategy = try reader.string("strategy")
    for parameter in Self.numbers {
      switch parameter.kind {
      case .number: parameters[parameter] = try reader.number(parameter.name).map { .number(Float($0)) }
      case .integer(let range):
        parameters[parameter] = try reader.integer(parameter.name, in: range.lowerBound...(.max))
          .map(StrategyValue.integer)
      case .choice, .text, .safetyPrompt, .examples: break
      }
    }
    profile = try reader.string("profile")
    guardedPrompt = try reader.string(StrategyParameter.emphasis.name)
    negativePrompt = try reader.string(StrategyParameter.negativePrompt.name)
    explain = try reader.bool("explain") == true ? Self.explainedCandidates : 0
    if let count = try reader.integer("candidates", in: 1...20) {
      guard explain > 0 else {
        throw FieldError("'selfcd.candidates' goes with 'selfcd.explain': true.", field: "selfcd.candidates")
      }
      explain = count
    }
    try reader.finish(known: Self.keys)
  }

  /// The parameters that clients may give besides the guarded prompt: those that an operator can bound.
  private static var numbers: [StrategyParameter] { StrategyCatalogue.parameters.filter(\.isNumeric) }

  /// The keys there are.
  private static var keys: [String] {
    ["strategy"] + numbers.map(\.name) + [
      "profile", StrategyParameter.emphasis.name, StrategyParameter.negativePrompt.name, "explain",
      "candidates",
    ]
  }

  /// A key beside `selfcd` that was meant to be in it, or `selfcd` with another spelling: leaving it aside like other
  /// unknown fields would decode otherwise than was asked for.
  ///
  /// - Throws: ``FieldError``.
  static func refuseAtTopLevel(_ reader: FieldReader) throws(FieldError) {
    func plain(_ name: String) -> String { name.lowercased().filter(\.isLetter) }
    for field in reader.rest {
      let name = plain(field)
      // text-generation-webui's own, which clients send empty.
      if field == StrategyParameter.negativePrompt.name, reader.peek(field)?.isNothing == true { continue }
      if let key = keys.first(where: { plain($0) == name }) {
        throw FieldError(
          "'\(field)' belongs under 'selfcd': {\"selfcd\": {\"\(key)\": …}}.", field: field,
          isUnsupported: true)
      }
      if name.hasPrefix("selfcd") {
        throw FieldError(
          "'\(field.prefix(40))' is not known to this server; its own extras are under 'selfcd'.",
          field: field,
          isUnsupported: true)
      }
    }
  }

  // MARK: - For errors

  /// The field of the request that names the strategy.
  var strategyField: String { alias == nil ? "selfcd.strategy" : "model" }
  /// The field of the request that names the profile.
  var profileField: String { alias == nil ? "selfcd.profile" : "model" }

  /// The field of the request that gives a parameter.
  func field(of parameter: StrategyParameter) -> String {
    isInAlias(parameter) ? "model" : "selfcd.\(parameter)"
  }

  /// The parameter as the request gives it, in words.
  func title(of parameter: StrategyParameter) -> String {
    isInAlias(parameter) ? "The \(parameter) in the model's name" : "'\(field(of: parameter))'"
  }

  private func isInAlias(_ parameter: StrategyParameter) -> Bool {
    parameter == .alpha && alias?.alpha != nil
  }

  /// Whether a parameter of a strategy is given.
  var hasParameters: Bool { !parameters.given.isEmpty || guardedPrompt != nil || negativePrompt != nil }

  /// Whether guidance is asked for, by name or by what only it has.
  var asksForGuidance: Bool {
    guard let strategy else { return negativePrompt != nil || parameters[.guidance] != nil }
    return StrategyCatalogue.name(meantBy: strategy) == Guidance.name
  }
}
