/// Turns a stream of token bytes into text that can be shown at once: whole characters, stop strings held back.
struct TextAssembler {
  private let stops: [[UInt8]]
  /// Bytes not yet released, because they may begin a stop string or a character.
  private var pending: [UInt8] = []

  init(stopStrings: [String]) {
    stops = stopStrings.map { Array($0.utf8) }
  }

  /// - Returns: text that is final, and whether a stop string was reached (nothing may follow it).
  mutating func append(_ bytes: [UInt8]) -> (text: String, stopped: Bool) {
    pending += bytes
    if let start = firstStop() {
      pending.removeSubrange(start...)
      return (finish(), true)
    }
    let held = max(heldForStop(), incompleteCharacterLength())
    let end = pending.count - held
    let text = String(decoding: pending[..<end], as: UTF8.self)
    pending.removeFirst(end)
    return (text, false)
  }

  /// What is left at the end.
  ///
  /// The beginning of a character that never came whole is left out: U+FFFD in its place would be a character that nobody
  /// generated, and would go back into the chat's next turn. Bytes that can begin no character become U+FFFD.
  mutating func finish() -> String {
    defer { pending.removeAll() }
    return String(decoding: pending.dropLast(incompleteCharacterLength()), as: UTF8.self)
  }

  private func firstStop() -> Int? {
    stops.compactMap { pending.firstOccurrence(of: $0) }.min()
  }

  /// Length of the longest end of `pending` that begins a stop string.
  private func heldForStop() -> Int {
    var longest = 0
    for stop in stops {
      let limit = min(stop.count - 1, pending.count)
      var length = limit
      while length > longest {
        if pending.suffix(length).elementsEqual(stop.prefix(length)) { longest = length }
        length -= 1
      }
    }
    return longest
  }

  /// Length of a UTF-8 sequence at the end that lacks continuation bytes; 0 if the end is whole or invalid.
  private func incompleteCharacterLength() -> Int {
    for length in 1...3 where length <= pending.count {
      let byte = pending[pending.count - length]
      if byte & 0b1100_0000 == 0b1000_0000 { continue }
      let expected =
        byte & 0b1110_0000 == 0b1100_0000
        ? 2 : byte & 0b1111_0000 == 0b1110_0000 ? 3 : byte & 0b1111_1000 == 0b1111_0000 ? 4 : 1
      return expected > length ? length : 0
    }
    return 0
  }
}

extension [UInt8] {
  fileprivate func firstOccurrence(of pattern: [UInt8]) -> Int? {
    guard !pattern.isEmpty, count >= pattern.count else { return nil }
    return (0...(count - pattern.count)).first { start in
      self[start..<(start + pattern.count)].elementsEqual(pattern)
    }
  }
}
