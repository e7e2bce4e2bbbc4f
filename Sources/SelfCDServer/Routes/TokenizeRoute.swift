import Hummingbird
import SelfCD
import SelfCDEval

/// `POST /tokenize`: the tokens of a text, or of a chat's prompts as a strategy renders them.
struct TokenizeRoute: Sendable {
  let service: GenerationService
  let body: BodyReader

  private struct Text: Encodable {
    let model: String
    let count: Int
    let tokens: [TokenID]
    let pieces: [String]?
    let maxModelLen: Int
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
  }

  @Sendable func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
    let object = try await body.object(request, context.scope)
    let client = context.client
    // What it costs is known afterwards.
    try service.meter.checkTokens(of: client)
    var reader = FieldReader(object)
    let model = try reader.string("model")
    let wantsPieces = try reader.bool("with_pieces") ?? false
    let content = try reader.string("content") ?? (try reader.string("prompt"))
    var wish = SelfCDFields()
    if var extras = try reader.object("selfcd") {
      guard content == nil else {
        throw FieldError("'selfcd' has no effect on 'content'; it goes with 'messages'.", field: "selfcd")
      }
      wish = try SelfCDFields(&extras)
    }
    if let content {
      try reader.finish()
      return try await context.scope.run { [wish] in
        try await text(content, model: model, wish, client, wantsPieces: wantsPieces)
      }
    }
    let chat = try MessageReader.chat(&reader)
    try reader.finish()
    return try await context.scope.run { [wish] in
      try await prompts(chat, model: model, wish, client, wantsPieces: wantsPieces)
    }
  }

  private func text(
    _ content: String, model: String?, _ wish: SelfCDFields, _ client: Client, wantsPieces: Bool
  ) async throws -> Response {
    let (name, _) = try service.resolve(model: model, wish)
    let lease = try await service.pool.lease(name)
    let tokens: [TokenID]
    do {
      tokens = try lease.model.tokenizer.tokens(ofReply: content)
    } catch {
      throw APIError.invalid("The text cannot be tokenised: \(error)", param: "content")
    }
    service.meter.charge(tokens: tokens.count, for: client)
    return APIJSON.response(
      Text(
        model: name, count: tokens.count, tokens: tokens,
        pieces: wantsPieces ? tokens.map { piece($0, lease) } : nil, maxModelLen: lease.model.capacity.context
      ))
  }

  private func prompts(
    _ chat: Chat, model: String?, _ wish: SelfCDFields, _ client: Client, wantsPieces: Bool
  ) async throws -> Response {
    let (name, decision) = try service.resolve(model: model, wish)
    let lease = try await service.pool.lease(name)
    try lease.model.checkLength(of: chat)
    let request: GenerationRequest
    do {
      request = try lease.model.chat.request(chat, strategy: decision.strategy)
    } catch {
      throw APIError.invalid("The chat cannot be rendered: \(error)", param: "messages", code: "bad_chat")
    }
    service.meter.charge(tokens: request.prompts.values.reduce(0) { $0 + $1.count }, for: client)
    let lanes = request.prompts.map { role, tokens in
      (
        role.rawValue,
        Prompts.Lane(
          count: tokens.count, tokens: tokens, pieces: wantsPieces ? tokens.map { piece($0, lease) } : nil)
      )
    }
    return APIJSON.response(
      Prompts(
        model: name, lanes: Dictionary(lanes) { first, _ in first }, maxModelLen: lease.model.capacity.context
      ))
  }

  private func piece(_ token: TokenID, _ lease: ModelLease) -> String {
    String(decoding: lease.model.vocabulary.bytes(of: token), as: UTF8.self)
  }
}
