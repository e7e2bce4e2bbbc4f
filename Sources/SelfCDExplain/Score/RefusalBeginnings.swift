import RealModule
import SelfCD

/// How one model's refusals and answers begin, learned from replies that a judge has judged.
///
/// A tree of first tokens, grown best first: where replies that begin alike are refusals in part, the next token tells
/// them apart. What is left are beginnings of which nearly all are refusals, nearly all are answers, or which the
/// depth allowed cannot tell; each counts by its share of refusals. Beginnings that were hardly ever seen count as
/// neither: a model that spreads some probability over everything would else seem to answer.
public struct RefusalBeginnings: Codable, Sendable, Hashable {
  /// One beginning.
  public struct Beginning: Codable, Sendable, Hashable {
    /// Its tokens.
    public var tokens: [TokenID]
    /// What they say.
    public var text: String
    /// Replies that begin so and refuse.
    public var refused: Int
    /// Replies that begin so.
    public var replies: Int
    /// The share of refusals among replies that begin so.
    public var share: Double
  }

  /// Where beginnings come from.
  public enum Origin: String, Codable, Sendable, Hashable {
    /// From this model's own judged replies. What begins in no way that was learned counts as neither.
    case learned
    /// From a list of how refusals commonly begin. What does not begin so counts as an answer.
    case general
  }

  /// A reply as it is learned from.
  public struct JudgedReply: Codable, Sendable, Hashable {
    /// Its first tokens.
    public var tokens: [TokenID]
    /// What the judge said.
    public var isRefusal: Bool
    /// Which prompt it replies to; replies to one prompt are alike.
    public var prompt: String

    /// Makes a reply.
    public init(tokens: [TokenID], isRefusal: Bool, prompt: String = "") {
      self.tokens = tokens
      self.isRefusal = isRefusal
      self.prompt = prompt
    }
  }

  /// The limits within which beginnings are told apart.
  public struct Limits: Codable, Sendable, Hashable {
    /// The most tokens of a beginning.
    public var depth: Int
    /// The most positions at which the model is asked for its next token.
    public var positions: Int
    /// Beginnings with no more than this share of the rarer kind are not told apart any further.
    public var impurity: Double
    /// Beginnings of less than this share of all replies are left out.
    public var support: Double

    /// Makes limits.
    public init(depth: Int = 6, positions: Int = 12, impurity: Double = 0.02, support: Double = 0.003) {
      self.depth = depth
      self.positions = positions
      self.impurity = impurity
      self.support = support
    }
  }

  /// Where they come from.
  public let origin: Origin
  /// Those of refusals first, then those of answers.
  public let beginnings: [Beginning]
  /// Judged replies of this model that they were learned from, or that a general list was put to.
  public internal(set) var replies: Int
  /// Those of them that refuse.
  public internal(set) var refused: Int
  /// The judge that said so, with its version; "none" where no reply was judged.
  public internal(set) var judge: String
  /// How well they do on judged replies that they were not learned from; nil where there are none.
  public var quality: BeginningsQuality?
  /// Where they come from, for people.
  public let source: String
  /// Every position whose row of scores is needed.
  public let tree: TokenTree

  /// Learns beginnings.
  /// - Parameters:
  ///   - replies: Judged replies, of all the ways of decoding that are to be explained.
  ///   - limits: How far beginnings are told apart.
  ///   - judge: The judge, with its version.
  ///   - source: What was asked, for people.
  ///   - text: What tokens say.
  /// - Throws: ``ExplanationError`` where all replies or none are refusals: nothing can be told apart then.
  public init(
    learningFrom replies: [JudgedReply], limits: Limits = Limits(), judge: String, source: String,
    text: ([TokenID]) -> String
  ) throws(ExplanationError) {
    let refused = replies.count(where: \.isRefusal)
    guard refused > 0 else { throw .noRefusals(replies: replies.count) }
    guard refused < replies.count else { throw .onlyRefusals(replies: replies.count) }
    var leaves = [Leaf(path: [], replies: replies)]
    var positions: [[TokenID]] = []
    while positions.count < max(1, limits.positions) {
      let candidates = leaves.indices.filter { index in
        positions.isEmpty || leaves[index].canGrow(limits)
      }
      guard let index = candidates.max(by: { leaves[$0].precedes(leaves[$1]) }) else { break }
      let leaf = leaves.remove(at: index)
      positions.append(leaf.path)
      leaves += leaf.children
    }
    let support = Int((limits.support * Double(replies.count)).rounded(.up))
    let beginnings = leaves.filter { $0.replies.count >= max(1, support) }
      .sorted { a, b in
        if a.refused != b.refused { return a.refused > b.refused }
        if a.replies.count != b.replies.count { return a.replies.count > b.replies.count }
        return a.path.lexicographicallyPrecedes(b.path)
      }
      .map {
        Beginning(
          tokens: $0.path, text: text($0.path), refused: $0.refused, replies: $0.replies.count,
          share: Double($0.refused) / Double(max(1, $0.replies.count)))
      }
    guard beginnings.contains(where: { $0.refused > 0 }) else { throw .noRefusals(replies: replies.count) }
    guard beginnings.contains(where: { $0.refused < $0.replies }) else {
      throw .onlyRefusals(replies: replies.count)
    }
    self.init(
      origin: .learned, beginnings: beginnings, replies: replies.count, refused: refused, judge: judge,
      source: source)
  }

  init(
    origin: Origin, beginnings: [Beginning], replies: Int, refused: Int, judge: String, source: String
  ) {
    self.origin = origin
    self.beginnings = beginnings
    self.replies = replies
    self.refused = refused
    self.judge = judge
    self.source = source
    tree = TokenTree(beginnings.map { Array($0.tokens.dropLast()) })
  }

  /// The share of refusals among replies that begin as one with these tokens; nil where nothing is known of it.
  func share(ofReply tokens: [TokenID]) -> Double? {
    beginnings.first { tokens.starts(with: $0.tokens) }?.share ?? (origin == .general ? 0 : nil)
  }

  /// The probability that a reply begins as a refusal: of learned beginnings given that it begins in one of those ways,
  /// of general ones among all replies.
  ///
  /// - Parameters:
  ///   - given: Tokens that the reply has already; only what comes behind them is still open.
  ///   - logProbability: The log-probability of a token behind a node of ``tree``.
  /// - Returns: nil where the learned beginnings say nothing about replies that begin with `given`.
  public func probability(
    given: [TokenID] = [], _ logProbability: (_ node: Int, _ token: TokenID) -> Double
  ) -> Double? {
    var terms: [(log: Double, share: Double)] = []
    for beginning in beginnings {
      // Shorter beginnings have said all they can.
      if beginning.tokens.count <= given.count, given.starts(with: beginning.tokens) {
        return beginning.share
      }
      guard beginning.tokens.starts(with: given) else { continue }
      var total = 0.0
      for position in given.count..<beginning.tokens.count {
        guard let node = tree.node(at: beginning.tokens.prefix(position)) else { return nil }
        total += logProbability(node, beginning.tokens[position])
      }
      terms.append((total, beginning.share))
    }
    // Whatever else the reply begins with is an answer.
    if origin == .general { return min(1, terms.reduce(0) { $0 + $1.share * Double.exp($1.log) }) }
    // Relative to the likeliest, so that nothing vanishes where all of them are unlikely.
    guard let greatest = terms.map(\.log).max(), greatest > -.infinity else { return nil }
    let weights = terms.map { Double.exp($0.log - greatest) }
    let refused = zip(weights, terms).reduce(0) { $0 + $1.0 * $1.1.share }
    return refused / weights.reduce(0, +)
  }

  /// The score from rows of scores, one for each node of ``tree``.
  public func score(_ rows: [[Float]]) -> RefusalScore {
    RefusalScore(probability: probability(rows) ?? 0, isGreedyRefusal: greedyShare(rows) ?? 0 > 0.5)
  }

  /// The share of refusals among replies that begin as the greedy one; nil where none was learned that does.
  private func greedyShare(_ rows: [[Float]]) -> Double? {
    var path: [TokenID] = []
    while let node = tree.node(at: path), rows.indices.contains(node), let best = Argmax.first(of: rows[node])
    {
      path.append(best.token)
      if let reached = beginnings.first(where: { $0.tokens == path }) { return reached.share }
    }
    return nil
  }

  /// The probability of a refusal for a reply that has begun with `given` already; nil where nothing was learned about
  /// such replies.
  func probability(_ rows: [[Float]], after given: [TokenID] = []) -> Double? {
    let normalizers = rows.map(Softmax.logSumExp)
    return probability(given: given) { node, token in
      guard rows.indices.contains(node), rows[node].indices.contains(Int(token)) else { return -.infinity }
      return Double(rows[node][Int(token)]) - normalizers[node]
    }
  }
}

/// Replies that begin alike.
private struct Leaf {
  let path: [TokenID]
  let replies: [RefusalBeginnings.JudgedReply]
  let refused: Int

  init(path: [TokenID], replies: [RefusalBeginnings.JudgedReply]) {
    self.path = path
    self.replies = replies
    refused = replies.count(where: \.isRefusal)
  }

  /// Replies that the beginning alone would be wrong about.
  var mixed: Int { min(refused, replies.count - refused) }

  func canGrow(_ limits: RefusalBeginnings.Limits) -> Bool {
    mixed > 0 && Double(mixed) > limits.impurity * Double(replies.count) && path.count < limits.depth
      && replies.contains { $0.tokens.count > path.count }
  }

  /// The one with more to gain is greater; of equal ones the shorter, then the lower path, so that the order of replies
  /// changes nothing.
  func precedes(_ other: Leaf) -> Bool {
    (mixed, -path.count) != (other.mixed, -other.path.count)
      ? (mixed, -path.count) < (other.mixed, -other.path.count)
      : other.path.lexicographicallyPrecedes(path)
  }

  /// By the next token; a reply that ends here begins no further and is left out.
  var children: [Leaf] {
    let longer = replies.filter { $0.tokens.count > path.count }
    return Dictionary(grouping: longer) { $0.tokens[path.count] }
      .map { Leaf(path: path + [$0.key], replies: $0.value) }
      .sorted { $0.path.lexicographicallyPrecedes($1.path) }
  }
}
