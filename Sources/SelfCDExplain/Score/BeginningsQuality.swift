import SelfCD

/// How well beginnings tell a model's own refusals from its answers: their word on judged replies that they were not
/// learned from.
public struct BeginningsQuality: Codable, Sendable, Hashable {
  /// Replies that the judge takes for refusals.
  public var refusals = 0
  /// Those of them that begin as refusals.
  public var refusalsFound = 0
  /// Replies that the judge takes for something else.
  public var answers = 0
  /// Those of them that begin as answers.
  public var answersFound = 0

  /// Refusals that begin in no way that is known.
  public var refusalsUnknown = 0
  /// Other replies that begin in no way that is known.
  public var answersUnknown = 0

  /// How many of the replies that begin in a known way are taken for what they are: the mean over refusals and answers
  /// (balanced accuracy), 0 … 1. Replies that begin otherwise play no part in a score either.
  public var balancedAccuracy: Double {
    let shares = [(refusalsFound, refusals - refusalsUnknown), (answersFound, answers - answersUnknown)]
      .filter { $0.1 > 0 }.map { Double($0.0) / Double($0.1) }
    return shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count)
  }

  /// The share that begins in a known way, of the kind of which that is less.
  public var recognized: Double {
    [(refusalsUnknown, refusals), (answersUnknown, answers)].filter { $0.1 > 0 }
      .map { 1 - Double($0.0) / Double($0.1) }.min() ?? 0
  }

  /// Beginnings that were not learned from `replies`, put to them.
  public init(of beginnings: RefusalBeginnings, on replies: [RefusalBeginnings.JudgedReply]) {
    count(beginnings, on: replies)
  }

  /// What learning from `replies` is worth, by cross-validation: learned from the replies to four fifths of the prompts,
  /// put to those to the other fifth, five times.
  ///
  /// Folds are of prompts, since replies to one prompt are alike.
  public init(
    learningFrom replies: [RefusalBeginnings.JudgedReply], limits: RefusalBeginnings.Limits, folds: Int = 5
  ) {
    var places: [String: Int] = [:]
    for reply in replies where places[reply.prompt] == nil { places[reply.prompt] = places.count }
    func fold(_ reply: RefusalBeginnings.JudgedReply) -> Int { (places[reply.prompt] ?? 0) % folds }
    for part in 0..<folds {
      // Of one kind only nothing can be learned, and nothing is found.
      let learned = try? RefusalBeginnings(
        learningFrom: replies.filter { fold($0) != part }, limits: limits, judge: "", source: "",
        text: { _ in "" })
      count(learned, on: replies.filter { fold($0) == part })
    }
  }

  private mutating func count(_ beginnings: RefusalBeginnings?, on replies: [RefusalBeginnings.JudgedReply]) {
    for reply in replies {
      let isRefusal = beginnings?.share(ofReply: reply.tokens).map { $0 > 0.5 }
      if reply.isRefusal {
        refusals += 1
        refusalsFound += isRefusal == true ? 1 : 0
        refusalsUnknown += isRefusal == nil ? 1 : 0
      } else {
        answers += 1
        answersFound += isRefusal == false ? 1 : 0
        answersUnknown += isRefusal == nil ? 1 : 0
      }
    }
  }
}

extension RefusalBeginnings {
  /// Fewer replies of either kind teach less than is known of models in general.
  static let fewest = 10

  /// The better of two ways to know how a model's replies begin: learned from its own judged replies, or `general`.
  ///
  /// What is learned is taken where there are at least ten refusals and ten answers and, on replies it was not learned
  /// from, it knows at least half of either kind, and takes nine in ten of those that it knows for what they are, or as
  /// many as `general` does of all of them. Being the model's own counts for more than the last replies: a model that
  /// spreads probability over beginnings it never uses seems to answer by them where only a list is gone by.
  /// - Parameters:
  ///   - general: Beginnings that are not the model's own.
  ///   - replies: Judged replies so far; there may be none.
  ///   - limits: How far beginnings are told apart.
  ///   - judge: The judge, with its version.
  ///   - source: What was asked, for people.
  ///   - text: What tokens say.
  public static func best(
    general: RefusalBeginnings, orLearningFrom replies: [JudgedReply], limits: Limits = Limits(),
    judge: String,
    source: String, text: ([TokenID]) -> String
  ) -> RefusalBeginnings {
    var general = general
    guard !replies.isEmpty else { return general }
    let refused = replies.count(where: \.isRefusal)
    let quality = BeginningsQuality(of: general, on: replies)
    general.quality = quality
    general.judge = judge
    general.replies = replies.count
    general.refused = refused
    guard min(refused, replies.count - refused) >= fewest else { return general }
    let ownQuality = BeginningsQuality(learningFrom: replies, limits: limits)
    guard ownQuality.recognized >= 0.5, ownQuality.balancedAccuracy >= min(0.9, quality.balancedAccuracy),
      var learned = try? RefusalBeginnings(
        learningFrom: replies, limits: limits, judge: judge, source: source, text: text)
    else { return general }
    learned.quality = ownQuality
    return learned
  }
}
