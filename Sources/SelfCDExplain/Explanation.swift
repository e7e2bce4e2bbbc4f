import SelfCD
import SelfCDEval

/// Why a model refused a prompt, or would: one value, which every way of showing it reads.
///
/// Parts that were not asked for are nil or empty. Lists over words have one entry for each of ``words``, in order.
public struct Explanation: Codable, Sendable, Hashable {
  /// A word of the prompt.
  public struct Word: Codable, Sendable, Hashable {
    /// As it stands in the prompt.
    public var text: String
    /// Where it begins, in bytes of the prompt's UTF-8.
    public var start: Int
    /// Where it ends, in bytes; exclusive.
    public var end: Int
    /// Whether it belongs to the focus the data set or the caller named.
    public var isFocus: Bool
  }

  /// A way of decoding that was looked at, and what it makes of the prompt.
  public struct View: Codable, Sendable, Hashable {
    /// `guarded`, `plain`, or the strategy's name.
    public var name: String
    /// For people: the name with its parameters.
    public var title: String
    /// How likely the reply begins as a refusal, 0 … 1.
    public var probability: Double
    /// The same as log-odds, in nats.
    public var score: Double
    /// Whether the greedy reply begins as a refusal.
    public var isGreedyRefusal: Bool
  }

  /// The version of this layout; changes when a key does.
  public static let formatVersion = 3

  /// ``formatVersion`` of what made it.
  public var version = Explanation.formatVersion
  /// The model and its adapters.
  public var model: NamedModel
  /// The question whose words are looked at.
  public var question: String
  /// Its words.
  public var words: [Word]
  /// The ways of decoding.
  public var views: [View]
  /// How this model's refusals begin.
  public var beginnings: RefusalBeginnings
  /// What each word does, by method and view.
  public var attributions: [WordAttribution]
  /// The smallest part of the prompt that is still refused.
  public var trigger: MinimalTrigger?
  /// The smallest edit after which a prompt labelled safe is answered.
  public var edit: SmallestEdit?
  /// How sure the refusal was, by view.
  public var uncertainties: [RefusalUncertainty]
  /// The replies with the lanes' candidates, by view; nil where none were written down.
  public var replies: [ReplyTrace]?
  /// What flows from each word to the answer, by view.
  public var flows: [LaneFlow] = []

  /// Makes an explanation of scores and attributions; other parts are set afterwards.
  public init(
    model: NamedModel, chat: Chat, views: [(name: String, title: String, score: RefusalScore)],
    beginnings: RefusalBeginnings, attributions: [WordAttribution], focus: String? = nil
  ) {
    self.model = model
    question = chat.lastQuestion
    let found = PromptWords(question)
    let focused = Set(focus.map { FocusWords.indices(of: $0, in: found) } ?? [])
    words = found.words.enumerated().map { index, word in
      Word(text: word.text, start: word.start, end: word.end, isFocus: focused.contains(index))
    }
    self.views = views.map {
      View(
        name: $0.name, title: $0.title, probability: $0.score.probability, score: $0.score.logOdds,
        isGreedyRefusal: $0.score.isGreedyRefusal)
    }
    self.beginnings = beginnings
    self.attributions = attributions
    uncertainties = []
  }

  /// The attribution by a method in a view, if it was computed.
  public func attribution(_ method: AttributionMethod, in view: String) -> WordAttribution? {
    attributions.first { $0.method == method && $0.view == view }
  }
}
