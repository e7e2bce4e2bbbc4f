import SelfCD

/// A loaded model as the server needs it. Whatever computes it is behind the engine.
public struct ServedModel: Sendable {
  /// Answers chats, through the model's own template.
  public let chat: ChatModel
  /// Continues texts as they are, on the same engine.
  public let text: ChatModel
  /// Turns a text into tokens, none of them special.
  public let tokenizer: any ReplyTokenizer
  /// The bytes of tokens, for log-probabilities and explanations.
  public let vocabulary: any Vocabulary
  /// What the engine has room for.
  public let capacity: BackendCapacity
  /// Lanes that requests get. The engine's others are left to prefixes of prompts, which stay computed across
  /// requests; the least recently used is given up first.
  public let lanes: Int
  /// Tells these weights from others, as profiles name them; nil where nothing is known.
  public let identity: String?
  /// Makes the constraint of one generation that has to look so; nil for models that cannot be held to a format.
  public let constraint: (@Sendable (ReplyFormat) throws -> any TokenConstraint)?
  /// Bytes of the longest token.
  private let longestToken: Int

  /// Puts a loaded model's parts together.
  ///
  /// - Parameters:
  ///   - chat: answers chats.
  ///   - text: continues texts, on the same engine.
  ///   - tokenizer: turns texts into tokens.
  ///   - vocabulary: the bytes of tokens.
  ///   - capacity: what the engine has room for.
  ///   - lanes: lanes that requests get; cut to what there is, at least 1.
  ///   - identity: tells these weights from others, as ``ServedProfile/identity`` does; nil where nothing is known.
  ///   - constraint: makes the constraint of one generation from a format, and throws where that cannot be.
  public init(
    chat: ChatModel, text: ChatModel, tokenizer: any ReplyTokenizer, vocabulary: any Vocabulary,
    capacity: BackendCapacity, lanes: Int, identity: String? = nil,
    constraint: (@Sendable (ReplyFormat) throws -> any TokenConstraint)? = nil
  ) {
    self.chat = chat
    self.text = text
    self.tokenizer = tokenizer
    self.vocabulary = vocabulary
    self.constraint = constraint
    self.identity = identity
    self.capacity = capacity
    self.lanes = max(1, min(lanes, capacity.lanes))
    longestToken = (0..<vocabulary.count).reduce(1) { max($0, vocabulary.bytes(of: TokenID($1)).count) }
  }

  /// Refuses what cannot fit however it is tokenized, before that is tried: a text of a megabyte takes its time.
  ///
  /// - Throws: ``APIError`` (400).
  func checkLength(of chat: Chat, field: String = "messages") throws(APIError) {
    let bytes = chat.messages.reduce(0) { $0 + $1.content.utf8.count }
    let (most, overflows) = capacity.context.multipliedReportingOverflow(by: longestToken)
    guard bytes > most, !overflows else { return }
    throw .contextExceeded(
      capacity.context,
      "your \(field) came to \(bytes) bytes, more than that many tokens can hold. Shorten the \(field).",
      param: field)
  }
}

/// A model that can be served; loaded when it is first asked for.
///
/// Order of calls: ``memoryNeeded()`` before each ``load()``; ``profiles()`` at start and at every reload.
public protocol ModelProvider: Sendable {
  /// The name that clients ask for.
  var name: String { get }

  /// The lanes that requests will have once it is loaded, and those with which prefixes are kept; `nil` where that is only
  /// known then.
  var laneCounts: LaneCounts? { get }

  /// Bytes that the loaded model takes.
  ///
  /// - Throws: when the model's file cannot be read.
  func memoryNeeded() throws -> Int

  /// Loads the model and starts its engine. Its task is cancelled when the server is told to stop; loading that can be
  /// broken off should be, and the rest is waited for.
  ///
  /// - Throws: when it cannot be loaded.
  func load() async throws -> ServedModel

  /// The calibrated profiles of the model, the default one first; empty without any.
  ///
  /// - Throws: for a profile that cannot be read or is another model's.
  func profiles() throws -> [ServedProfile]

  /// Changes when the files behind ``profiles()`` do.
  func profileStamp() -> String
}

/// How many sequences a model can decode at a time.
public struct LaneCounts: Sendable, Hashable {
  /// Lanes that requests get.
  public let requests: Int
  /// All lanes, those included that keep prefixes of prompts.
  public let all: Int

  /// Counts lanes.
  public init(requests: Int, all: Int) {
    self.requests = requests
    self.all = all
  }
}

extension ModelProvider {
  /// Not known before it is loaded.
  public var laneCounts: LaneCounts? { nil }
  /// No profiles: the model decodes by the server's policy alone.
  public func profiles() throws -> [ServedProfile] { [] }
  /// Always the same: a model without profiles has none to read again.
  public func profileStamp() -> String { "" }
}

/// A strategy with its parameters that a calibration of one model chose or kept.
public struct ServedProfile: Sendable {
  /// The name that clients ask for.
  public let name: String
  /// What the profile decodes by, parameters included.
  public let strategy: any DecodingStrategy
  /// What is guaranteed or why nothing is, in words, for `/selfcd/policy`.
  public let summary: String
  /// Whether a bound was shown for it; not where the calibration fell back to its reference.
  public let isCalibrated: Bool
  /// What the bound was shown under: replies under other conditions are reported as not calibrated.
  public let conditions: MeasuredConditions
  /// The weights that it was made for, as ``ServedModel/identity`` names them; nil where nothing is known.
  public let identity: String?

  /// Makes a profile.
  ///
  /// - Parameters:
  ///   - name: what clients ask for.
  ///   - strategy: what it decodes by.
  ///   - summary: the guarantee in words, or why there is none.
  ///   - isCalibrated: whether a bound was shown.
  ///   - conditions: what it was shown under; those of the paper by default.
  ///   - identity: the weights that it was made for.
  public init(
    name: String, strategy: any DecodingStrategy, summary: String, isCalibrated: Bool,
    conditions: MeasuredConditions = MeasuredConditions(), identity: String? = nil
  ) {
    self.isCalibrated = isCalibrated
    self.conditions = conditions
    self.identity = identity
    self.name = name
    self.strategy = strategy
    self.summary = summary
  }
}
