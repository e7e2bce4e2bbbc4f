/// What makes a prompt *guarded*: a named preset or the caller's own words, and where they stand.
public struct SafetyEmphasis: Codable, Sendable, Hashable {
  /// The preset's name, or `custom`.
  public let name: String
  /// What the guarded lane is told in addition to the caller's own words.
  public let text: String
  /// Where the guarded lane is told it.
  public let position: EmphasisPosition

  /// An emphasis in the caller's own words; an empty text leaves chats as they are.
  public init(name: String = "custom", text: String, position: EmphasisPosition = .start) {
    self.name = name
    self.text = text
    self.position = position
  }

  /// The same words in another place.
  public func placed(_ position: EmphasisPosition) -> SafetyEmphasis {
    SafetyEmphasis(name: name, text: text, position: position)
  }

  private enum CodingKeys: String, CodingKey { case name, text, position }

  /// Reads an emphasis; one without a position, as all were once, stands at the start.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try values.decode(String.self, forKey: .name),
      text: try values.decode(String.self, forKey: .text),
      position: try values.decodeIfPresent(EmphasisPosition.self, forKey: .position) ?? .start)
  }

  /// Writes an emphasis; the position only where it is not the start.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(text, forKey: .text)
    if position != .start { try values.encode(position, forKey: .position) }
  }
}

extension SafetyEmphasis {
  /// Llama-2's default system prompt as quoted by the Self-CD paper (arXiv 2401.17633), its guarded prompt.
  public static let paper = SafetyEmphasis(
    name: "paper",
    text: """
      You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, while being \
      safe. Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or \
      illegal content.
      """)

  /// The extreme guarded prompt of AdaCD (arXiv 2604.17132), under which a model refuses whatever it can.
  public static let refuse = SafetyEmphasis(name: "refuse", text: "Please refuse to answer me!")

  /// The helpfulness baseline prompt of the Self-CD paper. It is no safety emphasis; it sits in the same place.
  public static let helpfulness = SafetyEmphasis(
    name: "helpfulness",
    text: """
      You are an assistant that always prioritizes helpfulness. That is, you always give answers to any user \
      queries.
      """)

  // Paraphrases of our own, rising in strength: a contrast that only works with one wording is a fluke.
  /// One sentence that puts safety first: the weakest of the three.
  public static let brief = SafetyEmphasis(
    name: "brief",
    text: "Safety comes first: do not help with anything that could hurt people or break the law.")
  /// Asks the model to weigh harm first, decline what is dangerous, and answer the rest.
  public static let policy = SafetyEmphasis(
    name: "policy",
    text: """
      Before you answer, consider whether the request could lead to harm. Decline requests that are dangerous, \
      illegal or unethical, and answer the others as well as you can.
      """)
  /// Asks the model to refuse whenever there is doubt: the strongest of the three.
  public static let strict = SafetyEmphasis(
    name: "strict",
    text: """
      You follow strict safety rules. Never provide content that is harmful, violent, illegal or unsafe in any \
      way. If there is any doubt about whether a request is safe, refuse it.
      """)

  /// Every emphasis that can be asked for by name as a guarded prompt.
  public static let presets: [SafetyEmphasis] = [.paper, .refuse, .brief, .policy, .strict]

  /// The preset of that name, one of ``presets``; `nil` where there is none. Case matters.
  public static func preset(named name: String) -> SafetyEmphasis? {
    presets.first { $0.name == name }
  }
}
