import Hummingbird
import SelfCD

/// `POST /tokenize`: the tokens of a text, or of a chat's prompts as a strategy renders them.
struct TokenizeRoute: Sendable {
  let service: GenerationService
  let body: BodyReader

  /// What the request holds and this server leaves aside.
  private struct Ignored: Encodable {
    let ignored: [String]

    init?(_ fields: IgnoredFields) {
      guard !fields.names.isEmpty else { return nil }
      ignored = fields.names
    }
  }

  /// What both kinds of request have in common.
  private struct Asked {
    let model: String?
    let wish: SelfCDFields
    let wantsPieces: Bool
    let ignored: IgnoredFields
  }

  private struct Text: Encodable {
    let model: String
    let count: Int
    let tokens: [TokenID]
    let pieces: [String]?
    let maxModelLen: Int
    let selfcd: Ignored?
  }

  private struct Prompts: Encodable {
    struct Lane: Encodable {
      let count: Int
      let tokens: [TokenID]
      let pieces: [String]?
    }

    let model: String
    let lanes: [String: Lane]
    let maxModelLen: Int
    let selfcd: Ignored?
  }

  @Sendable func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
    let object = try await body.object(request, context.scope)
    let client = context.client
    // What it costs is known afterwards.
    try service.meter.checkTokens(of: client)
    var reader = FieldReader(object, isStrict: service.policy.isStrict)
    let model = try reader.string("model")
    let wantsPieces = try reader.bool("with_pieces") ?? false
    let content = try Self.text(&reader)
    var wish = SelfCDFields()
    if var extras = try reader.object("selfcd", isStrict: true) {
      if let content {
        throw FieldError(
          "'selfcd' has no effect on '\(content.field)'; it goes with 'messages'.", field: "selfcd")
      }
      wish = try SelfCDFields(&extras)
    }
    try SelfCDFields.refuseAtTopLevel(reader)
    let chat = content == nil ? try MessageReader.chat(&reader) : nil
    try service.checkContinuation(chat?.continuation)
    // What changes the prompt would make the counts those of another one.
    try UnbuiltField.refuse(
      UnbuiltField.common + (chat == nil ? UnbuiltField.ofTexts : UnbuiltField.ofChats), in: &reader)
    try reader.finish()
    service.metrics.ignored(reader.ignored)
    let asked = Asked(model: model, wish: wish, wantsPieces: wantsPieces, ignored: reader.ignored)
    return try await context.scope.run {
      if let chat { return try await prompts(chat, asked, client) }
      return try await text(content ?? Content(text: "", field: "content"), asked, client)
    }
  }

  /// A text to count, and the field that holds it.
  private struct Content {
    let text: String
    let field: String
  }

  /// The text to count, under either of its names.
  private static func text(_ reader: inout FieldReader) throws(FieldError) -> Content? {
    let content = try reader.string("content").map { Content(text: $0, field: "content") }
    guard let prompt = try reader.string("prompt") else { return content }
    guard content == nil else {
      throw FieldError(
        "'content' and 'prompt' are two names of one field. Give one of them.", field: "prompt")
    }
    return Content(text: prompt, field: "prompt")
  }

  private func text(_ content: Content, _ asked: Asked, _ client: Client) async throws -> Response {
    let (name, _) = try service.resolve(model: asked.model, asked.wish)
    let lease = try await service.pool.lease(name)
    let tokens: [TokenID]
    do {
      tokens = try lease.model.tokenizer.tokens(ofReply: content.text)
    } catch {
      throw APIError.invalid("The text cannot be tokenized: \(error)", param: content.field)
    }
    service.meter.charge(tokens: tokens.count, for: client)
    return APIJSON.response(
      Text(
        model: name, count: tokens.count, tokens: tokens,
        pieces: asked.wantsPieces ? tokens.map { piece($0, lease) } : nil,
        maxModelLen: lease.model.capacity.context, selfcd: Ignored(asked.ignored)))
  }

  private func prompts(
    _ askedChat: AskedChat, _ asked: Asked, _ client: Client
  ) async throws -> Response {
    let chat = askedChat.chat
    let (name, decision) = try service.resolve(model: asked.model, asked.wish)
    let lease = try await service.pool.lease(name)
    try lease.model.checkLength(of: chat)
    try service.checkNegativePrompt(of: decision.strategy, beside: [chat], lease.model)
    let request: GenerationRequest
    do {
      request = try lease.model.chat.request(
        chat, strategy: decision.strategy, isContinued: askedChat.isContinued)
    } catch {
      throw APIError.invalid("The chat cannot be rendered: \(error)", param: "messages", code: "bad_chat")
    }
    service.meter.charge(tokens: request.prompts.values.reduce(0) { $0 + $1.count }, for: client)
    let lanes = request.prompts.map { role, tokens in
      (
        role.rawValue,
        Prompts.Lane(
          count: tokens.count, tokens: tokens,
          pieces: asked.wantsPieces ? tokens.map { piece($0, lease) } : nil)
      )
    }
    return APIJSON.response(
      Prompts(
        model: name, lanes: Dictionary(lanes) { first, _ in first },
        maxModelLen: lease.model.capacity.context, selfcd: Ignored(asked.ignored)))
  }

  private func piece(_ token: TokenID, _ lease: ModelLease) -> String {
    String(decoding: lease.model.vocabulary.bytes(of: token), as: UTF8.self)
  }
}
