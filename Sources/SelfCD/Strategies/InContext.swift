/// The paper's in-context-examples baseline (arXiv 2401.17633, table 2): the most similar questions of a pool, with
/// their answers, stand before the question, without contrast.
///
/// The paper chooses by similarity of sentence embeddings; here it is lexical (``TermSimilarity``), which needs no
/// second model.
public struct InContext: DecodingStrategy {
  /// `icl`: what the command line, requests and results call this strategy.
  public static let name = "icl"
  /// The pool of examples; ``WorkedExamples/answers`` unless given.
  public static let takes: [StrategyParameter] = [.examples]
  /// Examples shown where nobody says how many.
  public static let defaultCount = 4

  /// A question with the answer it should get.
  public struct Example: Codable, Sendable, Hashable {
    /// What the user asks in the example.
    public var question: String
    /// What the assistant then says.
    public var answer: String

    /// Makes an example, shown as a turn of the user's and one of the assistant's.
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

  /// Makes the baseline; ``validate()`` checks that there is something to show.
  ///
  /// - Parameters:
  ///   - pool: examples to choose from.
  ///   - count: how many are shown.
  ///   - emphasis: a safety prompt to answer under, or `nil`.
  public init(
    pool: [Example] = WorkedExamples.answers, count: Int = InContext.defaultCount,
    emphasis: SafetyEmphasis? = nil
  ) {
    self.pool = pool
    self.count = count
    self.emphasis = emphasis
  }

  /// Takes the given pool, or the one that ships, with ``defaultCount`` examples shown.
  public init(_ parameters: StrategyParameters) {
    self.init(pool: parameters.examples(.examples) ?? WorkedExamples.answers)
  }

  /// The pool where it is not the one that ships; how many are shown and the emphasis are no parameters of a strategy
  /// by name.
  public var parameters: StrategyParameters {
    pool == WorkedExamples.answers ? StrategyParameters() : StrategyParameters([.examples: .examples(pool)])
  }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)`` for an empty pool, or fewer than one example
  ///   shown.
  public func validate() throws(StrategyError) {
    guard !pool.isEmpty else {
      throw .outOfRange(parameter: "examples", value: "none", allowed: "one question with its answer or more")
    }
    guard count >= 1 else {
      throw .outOfRange(parameter: "examples shown", value: "\(count)", allowed: "1 or more")
    }
  }

  /// One plain lane: the nearest examples as turns behind the system prompt, the most similar one last.
  ///
  /// An example whose question is the user's own is left out, since it would give the answer away.
  public func lanes(for chat: Chat) -> [LanePrompt] { lanes(for: chat, asking: \.self) }

  /// - Parameter asking: What is made of every question, the chat's last one included.
  func lanes(for chat: Chat, asking: (String) -> String) -> [LanePrompt] {
    var chat = chat
    if let last = chat.messages.lastIndex(where: { $0.role == .user }) {
      let question = chat.messages[last].content
      chat.messages[last].content = asking(question)
      // The most similar one last, next to the question it resembles. The question itself is no example.
      let others = pool.filter { $0.question != question }
      let nearest = TermSimilarity(others.map(\.question)).nearest(to: question, count: count).reversed()
      let turns = nearest.flatMap { index in
        [ChatMessage.user(asking(others[index].question)), .assistant(others[index].answer)]
      }
      // After the system prompt and before everything that was said.
      let start = chat.messages.first?.role == .system ? 1 : 0
      chat.messages.insert(contentsOf: turns, at: start)
    }
    // Behind the choice of examples, which is made by the question alone.
    return [LanePrompt(role: .plain, chat: emphasis.map(chat.adding) ?? chat)]
  }

  /// A rule that passes on the only lane's logits unchanged, so that sampling is the model's own.
  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  /// `false`: one lane, nothing to calibrate.
  public var isContrastive: Bool { false }
}

extension StrategyParameter {
  /// The questions with answers that ``InContext`` chooses from.
  public static let examples = StrategyParameter(
    "examples", .examples,
    help: """
      Questions with answers (columns 'prompt' and 'answer') that icl and few-shot-cot choose examples from, instead \
      of the 26 that ship.
      """)
}
