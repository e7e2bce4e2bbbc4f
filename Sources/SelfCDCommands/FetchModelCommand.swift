import ArgumentParser
import Foundation
import SelfCDHub
import SelfCDSupport

/// `selfcd model fetch`: gets a model by name, so that later commands need no network.
struct FetchModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Fetch a model by name, and print where it is.",
    discussion: """
      'smollm2' is SmolLM2-135M-Instruct, the model that this project measures with: one file, checked against its \
      SHA-256 (docs/models-by-name.md). A model that is there already is not fetched again, and a download that was \
      stopped goes on where it was.

      EXAMPLES
        selfcd model fetch smollm2
        selfcd compare -m smollm2 "How do I kill a process?"
        selfcd model fetch hf:OWNER/REPO-GGUF:Q4_K_M
      """)

  @Argument(
    help: .init(
      "'smollm2', or a model of the Hugging Face hub as hf:OWNER/REPO[@REVISION][:QUANT].", valueName: "model"
    ))
  var name: String

  @Flag(help: "Print one JSON object instead of the path.")
  var json = false

  private struct Record: Encodable {
    let model: String
    let path: String
    let title: String?
    let licence: String?
    let page: String?
    let sha256: String?
  }

  func validate() throws {
    let model: ModelName
    do { model = try ModelName(name) } catch { throw ValidationError("\(error)") }
    switch model.kind {
    case .pinned, .hub: return
    case .embedded:
      throw ValidationError(
        "'\(name)' comes with the program and need not be fetched. Use it with -m \(name).")
    case .file:
      let suggestion = ModelName.suggestion(for: name).map { " Did you mean '\($0)'?" } ?? ""
      let known = PinnedModel.all.map(\.name).joined(separator: ", ")
      throw ValidationError(
        "There is no model '\(name)' to fetch.\(suggestion) Known by name: \(known); others as hf:OWNER/REPO."
      )
    }
  }

  func run() async throws {
    let console = Console.standard
    let model = PinnedModel.named(name)
    if let model { console.note("\(model.title), licence \(model.licence), \(model.page)") }
    let path = try await ModelFetching.path(of: try ModelName(name), console: console)
    guard json else { return try console.writeLine(TerminalText.singleLine(path)) }
    try console.writeJSON(
      Record(
        model: name, path: path, title: model?.title, licence: model?.licence, page: model?.page,
        sha256: model?.sha256))
  }
}
