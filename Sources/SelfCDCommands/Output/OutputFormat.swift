import ArgumentParser
import Foundation
import SelfCDSupport

/// How a result is written, and the endings of files that say so. Which of them a command can write, it says.
enum OutputFormat: String {
  case text
  case markdown
  case html
  case json
  case jsonLines = "jsonl"
  case csv
  /// A folder of logs, which no ending names.
  case inspect

  /// The endings of files in this format, the usual one first.
  var endings: [String] {
    switch self {
    case .text: ["txt"]
    case .markdown: ["md", "markdown"]
    case .html: ["html", "htm"]
    case .json: ["json"]
    case .jsonLines: ["jsonl", "ndjson"]
    case .csv: ["csv"]
    case .inspect: []
    }
  }

  /// The format that a file's name asks for, whatever the case of its ending.
  init?(path: String) {
    let ending = URL(filePath: path).pathExtension.lowercased()
    let formats: [OutputFormat] = [.text, .markdown, .html, .json, .jsonLines, .csv]
    guard let format = formats.first(where: { $0.endings.contains(ending) }) else { return nil }
    self = format
  }
}

extension OutputFormat: ExpressibleByArgument {
  /// By name or by ending; `table` is the text of a command that prints tables.
  init?(argument: String) {
    let name = argument.lowercased()
    if let format = OutputFormat(rawValue: name) ?? OutputFormat(path: "a." + name) {
      self = format
    } else if name == "table" {
      self = .text
    } else {
      return nil
    }
  }
}

/// Where a result goes and how it is written there.
struct OutputChoice {
  let format: OutputFormat
  /// Nil for standard output.
  let path: String?

  /// What `--format` and `-o` come to.
  ///
  /// - Parameters:
  ///   - formats: those that the command writes; the first one is for standard output.
  ///   - hasFormatOption: whether the command has `--format`, to be named in the message.
  /// - Throws: `ValidationError` for a name whose ending says no format or another one than `format`, and for a format that the command does not write.
  init(
    format: OutputFormat?, path: String?, among formats: [OutputFormat], command: String,
    hasFormatOption: Bool = true
  ) throws {
    if path == "" { throw ValidationError("--output needs the name of a file, or '-' for standard output.") }
    let file = path == "-" ? nil : path.map(UserFolders.current.expand)
    self.path = file
    let known = formats.flatMap(\.endings).map { ".\($0)" }.joined(separator: ", ")
    // Devices have no endings and are written as standard output is.
    let usual = file.map { $0.hasPrefix("/dev/") } ?? true ? formats.first : nil
    if let format, let path, let file, let named = OutputFormat(path: file), named != format {
      throw ValidationError(
        "--format \(format.rawValue) and the name '\(path)' say two things. "
          + (format.endings.first.map { "Leave --format out, or name a file that ends in .\($0)." }
            ?? "Name a folder without that ending, or leave --format out."))
    }
    guard let chosen = format ?? file.flatMap({ OutputFormat(path: $0) }) ?? usual else {
      throw ValidationError(
        "'\(path ?? "")' has no ending that names a format. \(command) writes \(known)"
          + (hasFormatOption
            ? "; or name the format with --format: \(formats.map(\.rawValue).joined(separator: ", "))." : ".")
      )
    }
    guard formats.contains(chosen) else {
      let names = formats.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "\(command) does not write \(chosen.rawValue). "
          + (hasFormatOption
            ? "--format is one of \(names); files end in \(known)." : "Files end in \(known)."))
    }
    self.format = chosen
  }

  /// What text is laid out for: the terminal, or a page of 100 columns without colours.
  func console(_ console: Console) -> Console {
    path == nil ? console : Console(usesColor: false, width: 100)
  }
}
