/// Widths, wrapping and bars for a terminal.
enum TextLayout {
  /// Columns a text takes: wide East Asian characters and emoji take two, combining marks none.
  static func columns(_ text: String) -> Int {
    text.reduce(0) { $0 + columns($1) }
  }

  private static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    if scalar.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      return 2
    default:
      return scalar.properties.generalCategory == .nonspacingMark || scalar.value == 0x200B ? 0 : 1
    }
  }

  static func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - columns(text)))
  }

  static func truncate(_ text: String, to width: Int) -> String {
    guard columns(text) > width else { return text }
    var result = ""
    var used = 0
    for character in text {
      guard used + columns(character) < width else { break }
      result.append(character)
      used += columns(character)
    }
    return result + "…"
  }

  /// The end of a text, at most `width` characters.
  static func tail(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : "…" + text.suffix(width - 1)
  }

  /// Breaks at spaces where it can, inside words where it must.
  static func wrap(_ text: String, width: Int) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).flatMap {
      wrapLine(String($0), width: width)
    }
  }

  /// The same, with every line but the first indented.
  static func wrap(_ text: String, width: Int, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    return wrap(text, width: max(1, width - indent)).enumerated().map { $0 == 0 ? $1 : margin + $1 }
  }

  /// Prose, broken as by `wrap`, with a number and its per cent sign on one line.
  static func prose(_ text: String, width: Int) -> [String] {
    wrap(text.replacing(" %", with: "\u{A0}%"), width: width).map { $0.replacing("\u{A0}%", with: " %") }
  }

  private static func wrapLine(_ line: String, width: Int) -> [String] {
    var lines: [String] = []
    var current: String?
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      if let open = current {
        if columns(open) + 1 + columns(String(word)) <= width {
          current = "\(open) \(word)"
          continue
        }
        lines.append(open)
      }
      var rest = String(word)
      while columns(rest) > width {
        let head = prefix(of: rest, columns: width)
        lines.append(head)
        rest.removeFirst(head.count)
      }
      current = rest
    }
    return lines + [current ?? ""]
  }

  private static func prefix(of text: String, columns limit: Int) -> String {
    var result = ""
    var used = 0
    for character in text {
      guard used + columns(character) <= limit || result.isEmpty else { break }
      result.append(character)
      used += columns(character)
    }
    return result
  }

  /// A bar of eighth blocks; any share above zero shows.
  static func bar(_ share: Double, width: Int) -> String {
    guard share.isFinite, share > 0 else { return "" }
    let eighths = max(1, Int((min(share, 1) * Double(width) * 8).rounded()))
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + partial[eighths % 8]
  }
}
