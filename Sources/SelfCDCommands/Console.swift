import Foundation

/// Results to standard output, everything else to standard error.
struct Console: Sendable {
  static let standard = Console()

  /// Colours only for people: a terminal that wants them (no-color.org).
  let usesColor: Bool
  /// Columns to lay out for.
  let width: Int
  /// Columns that lines have to keep to: a terminal's, or those that `COLUMNS` names. Nil in a pipe or a file, where tables
  /// keep their columns for other programs.
  let limit: Int?
  let isInteractive: Bool

  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    usesColor = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    isInteractive = isTerminal
    limit = Self.columns(environment)
    width = limit ?? 80
  }

  init(usesColor: Bool, width: Int, limit: Int? = nil) {
    self.usesColor = usesColor
    self.width = width
    self.limit = limit
    isInteractive = false
  }

  private static func columns(_ environment: [String: String]) -> Int? {
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let columns = isKnown ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) }
    return columns.map { min(max($0, 20), 400) }
  }

  /// Prose, broken at spaces where there are columns to keep to. A number and its sign stay on one line.
  func wrapped(_ text: String) -> String {
    guard let limit else { return text }
    return TextLayout.prose(text, width: limit).joined(separator: "\n")
  }

  /// - Throws: ``CommandError/outputFailed(reason:)``, for instance when the disk is full.
  func write(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw CommandError.outputFailed(reason: (error as NSError).localizedDescription)
    }
  }

  func writeLine(_ text: String = "") throws { try write(text + "\n") }

  /// A value as one JSON document. Controls that JSON would let through are escaped, for terminals' sake.
  func writeJSON(_ value: some Encodable) throws { try writeLine(try json(value)) }

  /// A value as JSON: keys in snake case, dates as ISO 8601 has them.
  /// - Parameter isOneLine: for JSON lines.
  func json(_ value: some Encodable, isOneLine: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !isOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.dateEncodingStrategy = .iso8601
    return Self.escapingControls(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  static func escapingControls(_ json: String) -> String {
    var result = ""
    for scalar in json.unicodeScalars {
      switch scalar.value {
      case 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0x061C:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// An error, for standard error.
  func report(_ message: String) { log("error: \(message)") }

  /// A remark, for standard error.
  func note(_ message: String) { log("note: \(message)") }

  /// An error that GitHub's runner shows beside the commit. It reads standard error, too, so that results stay alone.
  func annotate(_ message: String, title: String) {
    // A runner ends the message at a line break, and reads the escapes that it prescribes.
    func escaped(_ text: String) -> String {
      text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }
    let name = escaped(title).replacing(":", with: "%3A").replacing(",", with: "%2C")
    log("::error title=\(name)::\(escaped(message))")
  }

  /// Asks a question on a terminal; nobody is there to answer where standard input is none.
  /// - Returns: nil where nobody can be asked; otherwise whether the answer is yes.
  func confirms(_ question: String) -> Bool? {
    guard isatty(STDIN_FILENO) == 1 else { return nil }
    try? FileHandle.standardError.write(contentsOf: Data("\(question) [y/N] ".utf8))
    let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
    return answer == "y" || answer == "yes"
  }

  private func log(_ text: String) {
    // Nothing sensible can be done when even standard error is gone.
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  // MARK: Styles

  enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case cyan = "36"
  }

  func styled(_ text: String, _ style: Style) -> String {
    usesColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}
