import SelfCD

/// The events of one choice, with the tokens that belong to each piece of text.
struct ChoiceReader {
  enum Part: Sendable {
    case text(String, tokens: [GeneratedToken])
    case reasoning(String, tokens: [GeneratedToken])
    case finished(GenerationSummary, tokens: [GeneratedToken])
  }

  private var events: AsyncThrowingStream<GenerationEvent, any Error>.AsyncIterator
  private var answer = TextTokens()
  private var reasoning = TextTokens()
  private let marksReasoning: Bool

  /// - Parameter marksReasoning: whether the model marks its reasoning; the engine then leaves out the white space before
  ///   its answer.
  init(_ handle: GenerationHandle, marksReasoning: Bool) {
    events = handle.events.makeAsyncIterator()
    self.marksReasoning = marksReasoning
  }

  /// - Returns: `nil` behind ``Part/finished(_:tokens:)``.
  /// - Throws: what the generation throws.
  mutating func next(onToken: () -> Void = {}) async throws -> Part? {
    while let event = try await events.next(isolation: #isolation) {
      switch event {
      case .token(let token):
        switch token.part {
        case .answer: answer.append(token)
        case .reasoning: reasoning.append(token)
        // Signs of no text.
        case .marker: break
        }
        onToken()
      case .text(let text):
        if marksReasoning, !answer.hasBegun { answer.skipWhitespace() }
        return .text(text, tokens: answer.take(text))
      case .reasoning(let text): return .reasoning(text, tokens: reasoning.take(text))
      case .finished(let summary):
        // What a stop string cut off is not part of the reply, and neither are its tokens; nor is white space with no
        // answer behind it.
        let isCut = summary.stopReason == .stopString || (marksReasoning && !answer.hasBegun)
        return .finished(summary, tokens: isCut ? [] : answer.takeAll())
      }
    }
    return nil
  }
}

/// Tokens whose text has not come yet, or not all of it: parts of a character, or of what may become a stop string.
struct TextTokens {
  private struct Pending {
    let token: GeneratedToken
    /// Where it begins, in bytes of all tokens.
    let start: Int
  }

  private var pending: [Pending] = []
  private var bytes = 0
  /// Bytes whose text has come.
  private var released = 0
  private(set) var hasBegun = false

  mutating func append(_ token: GeneratedToken) {
    pending.append(Pending(token: token, start: bytes))
    bytes += token.bytes.count
  }

  /// The tokens that begin in `text`, which is what comes next.
  mutating func take(_ text: String) -> [GeneratedToken] {
    hasBegun = true
    // Broken characters are longer in the text than in its tokens.
    released = min(bytes, released + text.utf8.count)
    return removeFirst { [released] in $0.start < released }
  }

  mutating func takeAll() -> [GeneratedToken] { removeFirst { _ in true } }

  /// Leaves white space out of what the text is compared with, and with it tokens that are nothing else.
  mutating func skipWhitespace() {
    let text = String(decoding: pending.flatMap(\.token.bytes), as: UTF8.self)
    released += text.prefix(while: \.isWhitespace).utf8.count
    _ = removeFirst { [released] in $0.start + $0.token.bytes.count <= released }
  }

  private mutating func removeFirst(while condition: (Pending) -> Bool) -> [GeneratedToken] {
    let taken = pending.prefix(while: condition)
    pending.removeFirst(taken.count)
    return taken.map(\.token)
  }
}
