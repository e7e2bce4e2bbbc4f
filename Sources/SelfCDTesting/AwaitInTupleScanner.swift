/// Finds tuple literals that `await` behind an element that is already evaluated.
///
/// With `-O`, Swift 6.3.1 can return a wrong value for the earlier element: `return (index, try await f())` in a child
/// task gave another `index` than the one it was given (docs/footguns.md). Debug builds are right, so no test of
/// behavior finds the next place; reading the sources does.
///
/// The scanner knows comments, string literals and brackets, and nothing of types. It flags a parenthesis that opens a
/// tuple rather than a call, holds a comma, and has the word `await` in any element but the first, closures apart.
package struct AwaitInTupleScanner {
  private enum Bracket: Equatable {
    /// A tuple literal, with the number of elements before the current one.
    case tuple(line: Int, elements: Int, flagged: Bool)
    /// Call arguments, subscripts and array literals: part of the surrounding element.
    case transparent
    /// A closure or another block: statements of its own.
    case block
  }

  private let text: [Character]
  private var index = 0
  private var line = 1
  private var open: [Bracket] = []
  private var found: [Int] = []
  /// The last character that was neither white space nor part of a comment, and the word that ends in it.
  private var previous: Character = "\n"
  private var word = ""

  private init(_ source: String) {
    text = Array(source)
  }

  /// The lines, counted from 1, on which such a tuple opens.
  package static func lines(of source: String) -> [Int] {
    var scanner = AwaitInTupleScanner(source)
    scanner.scan()
    return scanner.found
  }

  private mutating func scan() {
    while index < text.count {
      let character = text[index]
      if character == "\n" || character == "\r\n" { line += 1 }
      if skipsComment() || skipsString() { continue }
      if character.isLetter || character.isNumber || character == "_" {
        readWord()
        continue
      }
      switch character {
      case "(": open.append(opensTuple ? .tuple(line: line, elements: 0, flagged: false) : .transparent)
      case "[": open.append(.transparent)
      case "{": open.append(.block)
      case ")", "]", "}": if !open.isEmpty { open.removeLast() }
      case ",": nextElement()
      default: break
      }
      if !character.isWhitespace {
        previous = character
        word = ""
      }
      index += 1
    }
  }

  /// A parenthesis behind a name, a closing bracket or an optional mark is a call; behind a keyword or an operator it
  /// is a tuple or mere grouping.
  private var opensTuple: Bool {
    word.isEmpty ? !")]}>?!`".contains(previous) : Self.keywords.contains(word)
  }

  private static let keywords: Set = [
    "return", "in", "await", "try", "yield", "throw", "case", "let", "var", "if", "while", "else",
  ]

  private mutating func nextElement() {
    guard case .tuple(let line, let elements, let flagged)? = open.last else { return }
    open[open.count - 1] = .tuple(line: line, elements: elements + 1, flagged: flagged)
  }

  private mutating func readWord() {
    let start = index
    while index < text.count, text[index].isLetter || text[index].isNumber || text[index] == "_" {
      index += 1
    }
    word = String(text[start..<index])
    previous = text[index - 1]
    if word == "await" { flagEnclosingTuples() }
  }

  private mutating func flagEnclosingTuples() {
    for depth in open.indices.reversed() {
      switch open[depth] {
      case .block: return
      case .transparent: continue
      case .tuple(let line, let elements, let flagged):
        guard elements > 0, !flagged else { continue }
        open[depth] = .tuple(line: line, elements: elements, flagged: true)
        found.append(line)
      }
    }
  }

  private func starts(_ prefix: String) -> Bool {
    let characters = Array(prefix)
    return index + characters.count <= text.count
      && Array(text[index..<index + characters.count]) == characters
  }

  private mutating func skip(_ count: Int) {
    for _ in 0..<count where index < text.count {
      if text[index] == "\n" || text[index] == "\r\n" { line += 1 }
      index += 1
    }
  }

  private mutating func skipsComment() -> Bool {
    guard text[index] == "/" else { return false }
    if starts("//") {
      while index < text.count, !text[index].isNewline { index += 1 }
      return true
    }
    guard starts("/*") else { return false }
    var depth = 0
    repeat {
      if starts("/*") {
        depth += 1
        skip(2)
      } else if starts("*/") {
        depth -= 1
        skip(2)
      } else {
        skip(1)
      }
    } while depth > 0 && index < text.count
    return true
  }

  /// Interpolations are skipped as well: nobody awaits in one behind another element of a tuple.
  private mutating func skipsString() -> Bool {
    guard text[index] == "\"" || text[index] == "#" else { return false }
    var hashes = 0
    while index + hashes < text.count, text[index + hashes] == "#" { hashes += 1 }
    guard index + hashes < text.count, text[index + hashes] == "\"" else { return false }
    let pad = String(repeating: "#", count: hashes)
    skip(hashes)
    let quote = starts("\"\"\"") ? "\"\"\"" : "\""
    skip(quote.count)
    while index < text.count {
      if starts("\\" + pad) {
        skip(hashes + 2)
      } else if starts(quote + pad) {
        skip(quote.count + hashes)
        break
      } else {
        skip(1)
      }
    }
    previous = "\""
    word = ""
    return true
  }
}
