/// How much of an attribution falls on a prompt's focus words.
public struct AttributionShare: Codable, Sendable, Hashable {
  /// The focus words' part of the sum of absolute effects, 0 … 1; nil where no word has an effect.
  public var share: Double?
  /// The part that equal effects of all words would give: focus words over words.
  public var uniform: Double
  /// The mean effect of the focus words, in nats.
  public var focus: Double
  /// The mean effect of the other words, in nats.
  public var others: Double

  /// Measures `effects`, one for each word.
  /// - Returns: nil where there are no focus words, or no others.
  public init?(_ effects: [Double], focus places: [Int]) {
    let inside = Set(places)
    let on = effects.indices.filter(inside.contains).map { effects[$0] }
    let off = effects.indices.filter { !inside.contains($0) }.map { effects[$0] }
    guard !on.isEmpty, !off.isEmpty else { return nil }
    let total = effects.reduce(0) { $0 + abs($1) }
    share = total > 0 ? on.reduce(0) { $0 + abs($1) } / total : nil
    uniform = Double(on.count) / Double(effects.count)
    focus = on.reduce(0, +) / Double(on.count)
    others = off.reduce(0, +) / Double(off.count)
  }
}
