/// Writes out English contractions, and parts at the apostrophe what is none ("l'aide").
enum Contractions {
  /// - Parameters:
  ///   - word: A folded word without its apostrophe.
  ///   - apostrophe: Where the apostrophe stood; nil without one.
  static func expand(_ word: [UInt8], apostrophe: Int?) -> [ArraySlice<UInt8>] {
    guard let apostrophe, apostrophe < word.count else {
      return (2...4).contains(word.count) ? bare[word] ?? [word[...]] : [word[...]]
    }
    let base = word[..<apostrophe]
    let suffix = word[apostrophe...]
    if suffix.elementsEqual("t".utf8), base.last == UInt8(ascii: "n") {
      if base.elementsEqual("can".utf8) { return [cannot] }
      if base.elementsEqual("won".utf8) { return [will, not] }
      if base.elementsEqual("shan".utf8) { return [shall, not] }
      return [base.dropLast(), not]
    }
    if let full = suffixes[Array(suffix)] { return [base, full] }
    guard suffix.elementsEqual("s".utf8) else { return [base, suffix] }
    if base.elementsEqual("let".utf8) { return [base, us] }
    return subjects.contains(Array(base)) ? [base, verb] : [base]
  }

  private static let cannot = ArraySlice("cannot".utf8)
  private static let will = ArraySlice("will".utf8)
  private static let shall = ArraySlice("shall".utf8)
  private static let not = ArraySlice("not".utf8)
  private static let us = ArraySlice("us".utf8)
  private static let verb = ArraySlice("is".utf8)

  private static let suffixes: [[UInt8]: ArraySlice<UInt8>] = [
    Array("m".utf8): ArraySlice("am".utf8), Array("re".utf8): ArraySlice("are".utf8),
    Array("ve".utf8): ArraySlice("have".utf8), Array("ll".utf8): ArraySlice("will".utf8),
    Array("d".utf8): ArraySlice("would".utf8),
  ]

  /// What people write without the apostrophe, where it is no other word.
  private static let bare: [[UInt8]: [ArraySlice<UInt8>]] = [
    Array("cant".utf8): [cannot], Array("dont".utf8): [ArraySlice("do".utf8), not],
    Array("wont".utf8): [will, not], Array("im".utf8): [ArraySlice("i".utf8), ArraySlice("am".utf8)],
    Array("isnt".utf8): [verb, not],
  ]

  private static let subjects: Set<[UInt8]> = Set(
    ["it", "that", "this", "there", "here", "what", "he", "she", "who"].map { Array($0.utf8) })
}
