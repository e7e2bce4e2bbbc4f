/// The sentences of a system prompt and what stands between them, so that some of them can be left out.
///
/// Headings and items of a list are sentences too; ``SentenceSplitter`` says where sentences end. Blank space, rules such
/// as `---`, and lines that hold nothing but a tag such as `<rules>` are no sentences: they stand between them. Where
/// sentences are left out, all others and what stands between them stay byte for byte. Of two neighbouring gaps the one
/// with more line breaks stays; one with a rule or a tag always does.
public struct SystemPromptSentences: Codable, Sendable, Hashable {
  /// The system prompt.
  public let text: String
  /// Its sentences in order, without blank space around them.
  public let sentences: [String]
  /// What stands before each sentence, and last what stands behind all of them.
  public let gaps: [String]

  /// Finds the sentences of `text`.
  public init(_ text: String) {
    let characters = Array(text)
    let ranges = SentenceSplitter(characters).sentences
    self.text = text
    sentences = ranges.map { String(characters[$0]) }
    let starts = ranges.map(\.lowerBound) + [characters.count]
    let ends = [0] + ranges.map(\.upperBound)
    gaps = zip(ends, starts).map { String(characters[$0..<$1]) }
  }

  /// How many sentences there are.
  public var count: Int { sentences.count }

  /// The system prompt without the sentences at `removed`; empty where no sentence is left.
  public func removing(_ removed: some Collection<Int>) -> String {
    let removed = Set(removed)
    let kept = sentences.indices.filter { !removed.contains($0) }
    guard !kept.isEmpty else { return "" }
    var result = ""
    var next = 0
    for index in kept {
      result += gap(next...index) + sentences[index]
      next = index + 1
    }
    return result + gap(next...count)
  }

  /// What stands between two sentences that have become neighbours, of all that stood there.
  private func gap(_ places: ClosedRange<Int>) -> String {
    let candidates = gaps[places]
    guard candidates.count > 1 else { return candidates.joined() }
    let structured = candidates.filter { gap in gap.contains { !$0.isWhitespace } }
    guard structured.isEmpty else { return structured.joined() }
    if places.lowerBound == 0 { return gaps[0] }
    if places.upperBound == count { return gaps[count] }
    func breaks(_ gap: String) -> Int { gap.count(where: \.isNewline) }
    // The last of equals: it has the indentation of what follows.
    return candidates.reduce("") { breaks($1) >= breaks($0) ? $1 : $0 }
  }
}
