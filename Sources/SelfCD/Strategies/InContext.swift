/// The paper's in-context-examples baseline (arXiv 2401.17633, table 2): the most similar questions of a pool, with
/// their answers, stand before the question, without contrast.
///
/// The paper chooses by similarity of sentence embeddings; here it is lexical (``TermSimilarity``), which needs no
/// second model.
public struct InContext: DecodingStrategy {
  public static let name = "icl"
  public static let takes: [StrategyParameter] = [.examples]
  public static let defaultCount = 4

  /// A question with the answer it should get.
  public struct Example: Codable, Sendable, Hashable {
    public var question: String
    public var answer: String

    public init(question: String, answer: String) {
      self.question = question
      self.answer = answer
    }
  }

  /// The examples to choose from; not empty.
  public var pool: [Example]
  /// How many are shown, 1 or more.
  public var count: Int
  /// A safety emphasis to answer under; `nil` for none, as in the helpfulness baseline.
  public var emphasis: SafetyEmphasis?

  public init(pool: [Example], count: Int = InContext.defaultCount, emphasis: SafetyEmphasis? = nil) {
    self.pool = pool
    self.count = count
    self.emphasis = emphasis
  }

  public init(_ parameters: StrategyParameters) throws(StrategyError) {
    guard let pool = parameters.examples(.examples) else { throw .missing(.examples, strategy: Self.name) }
    self.init(pool: pool)
  }

  public var parameters: StrategyParameters { StrategyParameters([.examples: .examples(pool)]) }

  public func validate() throws(StrategyError) {
    guard !pool.isEmpty else {
      throw .outOfRange(parameter: "examples", value: "none", allowed: "one question with its answer or more")
    }
    guard count >= 1 else {
      throw .outOfRange(parameter: "examples shown", value: "\(count)", allowed: "1 or more")
    }
  }

  public func lanes(for chat: Chat) -> [LanePrompt] {
    var chat = emphasis.map(chat.adding) ?? chat
    if let last = chat.messages.lastIndex(where: { $0.role == .user }) {
      let question = chat.messages[last].content
      // The most similar one last, next to the question it resembles. The question itself is no example.
      let others = pool.filter { $0.question != question }
      let nearest = TermSimilarity(others.map(\.question)).nearest(to: question, count: count).reversed()
      let turns = nearest.flatMap { index in
        [ChatMessage.user(others[index].question), .assistant(others[index].answer)]
      }
      // After the system prompt and before everything that was said.
      let start = chat.messages.first?.role == .system ? 1 : 0
      chat.messages.insert(contentsOf: turns, at: start)
    }
    return [LanePrompt(role: .plain, chat: chat)]
  }

  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  public var isContrastive: Bool { false }
}

extension StrategyParameter {
  /// The questions with answers that ``InContext`` chooses from.
  public static let examples = StrategyParameter(
    "examples", .examples,
    help: "Questions with answers (columns 'prompt' and 'answer') for icl's examples.")
}
