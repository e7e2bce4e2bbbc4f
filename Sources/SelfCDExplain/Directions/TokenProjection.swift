import SelfCD

/// How far a token of a prompt lies along the refusal direction, at the layer where that was found.
public struct TokenProjection: Encodable, Sendable, Hashable {
  /// The name of the strategy whose prompt it is of.
  public let view: String
  /// Its text; empty for tokens that stand for none.
  public let text: String
  /// What the vocabulary calls a token that stands for no text, such as `<|im_start|>`; nil for all others.
  public let control: String?
  /// The length of the token's state along the direction.
  public let projection: Double

  /// Reads every token of a prompt, once for each strategy.
  /// - Parameters:
  ///   - chat: What is asked.
  ///   - views: Whose prompts are read: of each, that of the first lane.
  ///   - refusal: The direction to project on.
  ///   - model: Renders the prompts.
  ///   - inspector: Reads the states.
  ///   - vocabulary: Says what the tokens' texts are.
  ///   - name: Says what a token is called that stands for no text.
  /// - Returns: The tokens in the order of the views and of each prompt.
  /// - Throws: What rendering the prompts and reading the states throws.
  public static func measure(
    _ chat: Chat, views: [any DecodingStrategy], on refusal: RefusalDirection, model: ChatModel,
    inspector: any ModelInspector, vocabulary: any Vocabulary,
    name: @Sendable (TokenID) -> String
  ) async throws -> [TokenProjection] {
    var result: [TokenProjection] = []
    for strategy in views {
      guard let lane = strategy.lanes(for: chat).first else { continue }
      let tokens = try model.renderer.render(lane.chat).tokens
      let states = try await inspector.residuals(of: tokens, at: Array(tokens.indices))
      for (token, state) in zip(tokens, states.layers[refusal.layer]) {
        let text = String(decoding: vocabulary.bytes(of: token), as: UTF8.self)
        result.append(
          TokenProjection(
            view: strategy.name, text: text, control: text.isEmpty ? name(token) : nil,
            projection: refusal.projection(of: state)))
      }
    }
    return result
  }
}
