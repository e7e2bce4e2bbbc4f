/// How strongly something signed is tinted: a side and one of a few levels, so that a style sheet can name them all.
///
/// Every level has a mark besides its colour, an unbroken line below for one side and a broken one for the other.
struct Heat: Sendable, Hashable {
  /// −``levels`` … ``levels``; 0 is no tint.
  let level: Int

  static let levels = 6

  /// The level of `value` where `greatest` is the strongest of all that are compared.
  init(_ value: Double, of greatest: Double) {
    guard greatest > 0, value.isFinite, greatest.isFinite else {
      level = 0
      return
    }
    let share = min(max(value / greatest, -1), 1)
    level = Int((share * Double(Self.levels)).rounded())
  }

  /// The class that the style sheet knows.
  var style: String { level == 0 ? "z" : level > 0 ? "p\(level)" : "n\(-level)" }
}
