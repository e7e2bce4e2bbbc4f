import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama
import SelfCDSupport

/// What the reply has to look like.
struct FormatOptions: ParsableArguments {
  @Option(
    name: .customLong("json-schema"),
    help: .init(
      "A file with a JSON schema that the reply has to fit; '{\"type\": \"object\"}' is any object.",
      valueName: "file"))
  var jsonSchema: String?

  @Option(
    help: .init("A file with a grammar (llama.cpp's GBNF) that the reply has to keep to.", valueName: "file"))
  var grammar: String?

  func validate() throws {
    if jsonSchema != nil, grammar != nil {
      throw ValidationError(
        "--json-schema and --grammar both say what the reply looks like. Give one of them.")
    }
  }

  /// The grammar that is asked for; nil for any text.
  ///
  /// - Throws: ``CommandError`` for a file that cannot be read, ``GrammarError``.
  func make() throws -> Grammar? {
    if let jsonSchema { return try Grammar(jsonSchema: try Self.text(of: jsonSchema)) }
    if let grammar { return try Grammar(try Self.text(of: grammar)) }
    return nil
  }

  private static func text(of path: String) throws -> String {
    do {
      return try String(contentsOfFile: UserFolders.current.expand(path), encoding: .utf8)
    } catch {
      throw CommandError.invalid("\(path) cannot be read as UTF-8 text: \(error.localizedDescription)")
    }
  }
}
