import Foundation

/// Takes out of letters what writers of the same word disagree about: case, accents, vowel signs that may be left out.
enum ScalarFolding {
  /// What a scalar is to the tokenizer.
  enum Kind {
    /// Part of a word; its folded form, nil where nothing is left of it.
    case letter(Unicode.Scalar?)
    /// A word of its own, folded: the scripts that put no spaces between words.
    case ideograph(Unicode.Scalar)
    case apostrophe
    /// Ends a sentence wherever it stands.
    case fullStop
    case space
    case other
  }

  static func kind(_ scalar: Unicode.Scalar) -> Kind {
    switch scalar.value {
    case 0x2018, 0x2019, 0x02BC, 0xFF07: return .apostrophe
    case 0x3002, 0xFF01, 0xFF1F, 0x0964, 0x061F, 0x06D4: return .fullStop
    case 0xA0, 0x2000...0x200A, 0x202F, 0x3000, 0x1680: return .space
    // Invisible marks inside words: joiners, directions, the soft hyphen.
    case 0xAD, 0x200B...0x200F, 0x202A...0x202E, 0x2060, 0xFEFF: return .letter(nil)
    // The sound marks of kana, composed or not, go as accents do.
    case 0x3099...0x309C: return .letter(nil)
    case 0x3041...0x30FF: return .ideograph(decomposed(scalar))
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0x20000...0x2FA1F: return .ideograph(scalar)
    case 0x300...0x36F: return .letter(nil)
    // Arabic vowel signs and the stretching mark; the nukta of Devanagari.
    case 0x640, 0x64B...0x65F, 0x670, 0x93C: return .letter(nil)
    case 0x622, 0x623, 0x625: return .letter("\u{627}")
    // Cyrillic letters that writers leave the mark off, or write it apart.
    case 0x419, 0x439: return .letter("\u{438}")
    case 0x401, 0x451: return .letter("\u{435}")
    case 0xC0...0x24F, 0x958...0x95F, 0x1E00...0x1EFF:
      return scalar.properties.isAlphabetic ? .letter(base(scalar)) : .other
    default:
      break
    }
    let properties = scalar.properties
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .decimalNumber: return .letter(scalar)
    default: break
    }
    guard properties.isAlphabetic else { return properties.isWhitespace ? .space : .other }
    let lower = properties.lowercaseMapping.unicodeScalars
    return .letter(lower.first ?? scalar)
  }

  /// What a folded letter is written with: a Hangul syllable in its parts, so that composed and decomposed are equal.
  static func parts(of letter: Unicode.Scalar) -> String {
    let text = String(letter)
    return (0xAC00...0xD7A3).contains(letter.value) ? text.decomposedStringWithCanonicalMapping : text
  }

  private static func base(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x131: return "i"
    case 0x141, 0x142: return "l"
    case 0xD8, 0xF8: return "o"
    case 0xDF: return "s"
    default: break
    }
    let plain = decomposed(scalar)
    return plain.properties.lowercaseMapping.unicodeScalars.first ?? plain
  }

  private static func decomposed(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars.first ?? scalar
  }
}
