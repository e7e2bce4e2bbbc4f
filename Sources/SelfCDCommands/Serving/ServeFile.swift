import Foundation
import SelfCDSupport

/// A file of settings for `serve`: the command's own options under their long names, with underscores.
///
/// It is turned into arguments, so that an option means the same in the file and on the command line, is
/// checked by the same code, and a name that does not exist is an error.
struct ServeFile {
  /// The server's and the policy's options, by option.
  private let settings: [(option: String, arguments: [String])]
  /// The options of each model; empty where the file names none.
  let models: [[String]]

  /// Options that name files, which are looked for beside the file of settings.
  private static let paths: Set = [
    "api_keys", "profile", "chat_template", "lora", "control_vector", "guarded_prompt_file",
  ]

  /// - Throws: ``CommandError``.
  init(path: String) throws {
    let text = try InputText.read(file: path)
    let object: [String: JSONValue]
    do {
      object = try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
    } catch {
      throw CommandError.invalid("\(path) is not a JSON object of settings: \(JSONValue.detail(of: error)).")
    }
    // Else the first value would hold, and a later one that allows less would have no effect.
    if let fault = JSONSurvey(Array(text.utf8), of: path, deepest: 32).duplicate {
      throw CommandError.invalid(fault.message)
    }
    let folder = URL(filePath: path).deletingLastPathComponent()
    var settings = object
    let models = settings.removeValue(forKey: "models")
    // Beside a list of models, what belongs to one of them would have no effect.
    let known = models == nil ? Self.forAll.union(Self.ofModels) : Self.forAll
    self.settings = try Self.arguments(settings, folder, path, known: known)
    switch models {
    case nil: self.models = []
    case .array(let items)? where !items.isEmpty:
      self.models = try items.enumerated().map { index, item in
        guard case .object(let model) = item else {
          throw CommandError.invalid("'models' in \(path) must be a list of objects.")
        }
        let place = "models[\(index)]."
        return try Self.arguments(model, folder, path, in: place, known: Self.ofModels).flatMap(\.arguments)
      }
    default: throw CommandError.invalid("'models' in \(path) must be a list of objects, not empty.")
    }
  }

  /// The arguments for what the command line does not give: a list there replaces the file's and does not add to it.
  func arguments(besides given: [String]) -> [String] {
    let named = Set(given.map { Self.long($0.prefix { $0 != "=" }) })
    return settings.filter { !named.contains($0.option) }.flatMap(\.arguments)
  }

  /// An option under its long name; `-p9000` names the port as `-p` does.
  private static func long(_ option: Substring) -> String {
    guard option.hasPrefix("-"), !option.hasPrefix("--") else { return String(option) }
    return shorts[option.dropFirst().prefix(1)] ?? String(option)
  }

  private static let shorts: [Substring: String] = [
    "m": "--model", "t": "--threads", "p": "--port", "s": "--strategy", "a": "--alpha",
  ]

  /// The options that hold for all models, and those of each.
  private static var forAll: Set<String> {
    CommandSyntax.options(inHelp: ServeGlobals.helpMessage(includeHidden: true, columns: 400))
  }
  private static var ofModels: Set<String> {
    CommandSyntax.options(inHelp: ServedModelOptions.helpMessage(includeHidden: true, columns: 400))
  }

  /// What to say of a setting that there is not, in the words of the file and not of the command line.
  private static func unknown(_ key: String, in place: String, known: Set<String>) -> String {
    func setting(_ option: String) -> String { String(option.dropFirst(2)).replacing("-", with: "_") }
    if known == ofModels, forAll.contains(Self.option(key)) {
      return "'\(place)\(key)' holds for all models; it stands beside 'models'."
    }
    if known == forAll, ofModels.contains(Self.option(key)) {
      return "'\(key)' belongs to each model; it stands in the objects of 'models'."
    }
    let names = known.filter { $0.hasPrefix("--") && $0 != "--help" }.map(setting).sorted()
    let nearest = NearestName.of(key, among: names)
    return "unknown setting '\(place)\(UntrustedText.singleLine(key))'."
      + (nearest.map { " Did you mean '\($0)'?" } ?? " 'selfcd serve --help' lists them.")
  }

  private static func option(_ key: String) -> String { "--" + key.replacing("_", with: "-") }

  private static func arguments(
    _ object: [String: JSONValue], _ folder: URL, _ path: String, in place: String = "", known: Set<String>
  ) throws -> [(option: String, arguments: [String])] {
    try object.sorted { $0.key < $1.key }.map { key, value in
      guard key != "config" else {
        throw CommandError.invalid("\(path) cannot name another file of settings.")
      }
      let option = Self.option(key)
      guard known.contains(option), option != "--help" else {
        throw CommandError.invalid("\(path): \(unknown(key, in: place, known: known))")
      }
      func text(_ value: JSONValue) throws -> String {
        switch value {
        case .string(let text):
          let isPath =
            paths.contains(key) || (key == "model" && text.hasSuffix(".gguf") && !text.hasPrefix("hf:"))
          return isPath && !text.hasPrefix("/") && !text.hasPrefix("~")
            ? folder.appending(path: text).path : text
        case .integer(let number): return String(number)
        case .number(let number): return String(number)
        default:
          throw CommandError.invalid("'\(place)\(key)' in \(path) must be a text, a number, true or false.")
        }
      }
      switch value {
      case .bool(let isOn): return (option, isOn ? [option] : [])
      case .array(let items): return (option, try items.map { "\(option)=\(try text($0))" })
      case .null: return (option, [])
      default: return (option, ["\(option)=\(try text(value))"])
      }
    }
  }
}
