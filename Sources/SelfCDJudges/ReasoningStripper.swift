import SelfCDSupport

/// Separates a reply's reasoning from its answer: only the answer is what a user gets, so only it is judged.
///
/// A block counts where it opens the reply or a line, outside fenced code; an answer that merely mentions
/// `<think>` in a sentence keeps it. A block that is never closed takes the rest of the reply. A closing mark
/// without an opening one takes everything before it, since several chat templates put the opening mark into the
/// prompt.
public struct ReasoningStripper: Codable, Sendable, Hashable {
  /// The marks around reasoning.
  public struct Marks: Codable, Sendable, Hashable {
    /// What begins a block.
    public var open: String
    /// What ends it.
    public var close: String

    /// Makes a pair of marks.
    public init(open: String, close: String) {
      self.open = open
      self.close = close
    }
  }

  /// A reply in its parts.
  public struct Parts: Codable, Sendable, Hashable {
    /// What is left for the user.
    public var answer: String
    /// The reasoning that was taken out, without its marks, in order.
    public var reasoning: [String]
    /// Whether the last block was never closed: the reply ended before its answer began.
    public var isUnterminated: Bool
    /// UTF-8 offsets in the reply of the answer's pieces; joined they give `answer`.
    public var pieces: [Range<Int>]

    /// The offset in the reply of an offset in the answer. An offset between two pieces belongs to the later one.
    public func offsetInReply(_ offset: Int) -> Int {
      var remaining = offset
      for piece in pieces {
        if remaining < piece.count { return piece.lowerBound + remaining }
        remaining -= piece.count
      }
      return (pieces.last?.upperBound ?? 0) + remaining
    }
  }

  /// The marks looked for.
  public var marks: [Marks]

  /// Marks in use: DeepSeek-R1, Qwen3 and most others; variants; Magistral; Seed; Kimi; gpt-oss's channels.
  public static let knownMarks = [
    Marks(open: "<think>", close: "</think>"),
    Marks(open: "<thinking>", close: "</thinking>"),
    Marks(open: "<thought>", close: "</thought>"),
    Marks(open: "<reasoning>", close: "</reasoning>"),
    Marks(open: "[THINK]", close: "[/THINK]"),
    Marks(open: "<seed:think>", close: "</seed:think>"),
    Marks(open: "◁think▷", close: "◁/think▷"),
    Marks(open: "<|channel|>analysis<|message|>", close: "<|channel|>final<|message|>"),
  ]

  /// Makes a stripper.
  public init(marks: [Marks] = knownMarks) {
    self.marks = marks.filter { !$0.open.isEmpty && !$0.close.isEmpty }
  }

  /// Separates `reply`.
  public func parts(of reply: String) -> Parts {
    let bytes = Array(reply.utf8)
    var pieces: [Range<Int>] = []
    var reasoning: [String] = []
    var pieceStart = 0
    var position = 0
    var isInFence = false
    var isUnterminated = false

    if let orphan = orphanClose(in: bytes) {
      reasoning.append(trimmed(bytes[..<orphan.lowerBound]))
      position = orphan.upperBound
      pieceStart = position
    }
    var isAtLineStart = true
    while position < bytes.count {
      if isAtLineStart {
        if starts(bytes, position, "```") || starts(bytes, position, "~~~") { isInFence.toggle() }
        if !isInFence, let mark = marks.first(where: { starts(bytes, position, $0.open) }) {
          if pieceStart < position { pieces.append(pieceStart..<position) }
          let start = position + mark.open.utf8.count
          let close = find(mark.close, in: bytes, from: start)
          reasoning.append(trimmed(bytes[start..<(close?.lowerBound ?? bytes.count)]))
          isUnterminated = close == nil
          position = close?.upperBound ?? bytes.count
          pieceStart = position
          // The answer may follow at once on the same line, and so may the next block.
          continue
        }
      }
      let byte = bytes[position]
      // Spaces in front of a mark do not make it part of a sentence.
      isAtLineStart = byte == 0x0A || byte == 0x0D || (isAtLineStart && (byte == 0x20 || byte == 0x09))
      position += 1
    }
    if pieceStart < bytes.count { pieces.append(pieceStart..<bytes.count) }
    return trimmedParts(bytes, pieces: pieces, reasoning: reasoning, isUnterminated: isUnterminated)
  }

  /// White space around the answer goes only where reasoning did: a reply without reasoning stays as it is.
  private func trimmedParts(
    _ bytes: [UInt8], pieces: [Range<Int>], reasoning: [String], isUnterminated: Bool
  ) -> Parts {
    var pieces = pieces
    if !reasoning.isEmpty {
      while let first = pieces.first {
        let kept = bytes[first].drop { $0 <= 0x20 }
        if kept.isEmpty {
          pieces.removeFirst()
        } else {
          pieces[0] = kept.startIndex..<first.upperBound
          break
        }
      }
    }
    let answer = String(decoding: pieces.flatMap { bytes[$0] }, as: UTF8.self)
    return Parts(answer: answer, reasoning: reasoning, isUnterminated: isUnterminated, pieces: pieces)
  }

  /// A closing mark at the end or beginning of a line with no opening one before it.
  private func orphanClose(in bytes: [UInt8]) -> Range<Int>? {
    marks.compactMap { mark -> Range<Int>? in
      guard let close = find(mark.close, in: bytes, from: 0) else { return nil }
      if let open = find(mark.open, in: bytes, from: 0), open.lowerBound < close.lowerBound { return nil }
      let opensLine = bytes[..<close.lowerBound].last.map { $0 == 0x0A || $0 == 0x0D } ?? true
      let endsLine = bytes[close.upperBound...].first.map { $0 == 0x0A || $0 == 0x0D } ?? true
      return opensLine || endsLine ? close : nil
    }
    .min { $0.lowerBound < $1.lowerBound }
  }

  private func starts(_ bytes: [UInt8], _ position: Int, _ mark: String) -> Bool {
    bytes[position...].starts(with: mark.utf8)
  }

  private func find(_ mark: String, in bytes: [UInt8], from start: Int) -> Range<Int>? {
    let pattern = Array(mark.utf8)
    guard bytes.count - start >= pattern.count else { return nil }
    for position in start...(bytes.count - pattern.count)
    where bytes[position] == pattern[0] && bytes[position...].starts(with: pattern) {
      return position..<(position + pattern.count)
    }
    return nil
  }

  private func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self).trimmingSpaces()
  }
}
