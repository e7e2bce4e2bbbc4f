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
    guard PinnedModel.named(name) == nil else { return }
    guard HubReference.isReference(name) else {
      let known = PinnedModel.all.map(\.name).joined(separator: ", ")
      throw ValidationError(
        "There is no model '\(name)' to fetch. Known by name: \(known); others as hf:OWNER/REPO.")
    }
    do { _ = try HubReference(parsing: name) } catch { throw ValidationError("\(error)") }
  }

  func run() async throws {
    let console = Console.standard
    let model = PinnedModel.named(name)
    if let model { console.note("\(model.title), licence \(model.licence), \(model.page)") }
    let path =
      if let model { try await ModelFetching.path(of: model, console: console) } else {
        try await ModelFetching.path(of: try HubReference(parsing: name), console: console)
      }
    guard json else { return try console.writeLine(TerminalText.singleLine(path)) }
    try console.writeJSON(
      Record(
        model: name, path: path, title: model?.title, licence: model?.licence, page: model?.page,
        sha256: model?.sha256))
  }
}
