import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama
import SelfCDLlamaServer
import SelfCDOrganism
import SelfCDSupport

/// A model to serve: which, under what name, with how many lanes and which profiles.
struct ServedModelOptions: ParsableArguments {
  @Option(help: .init("What clients call the model; the file's name by default.", valueName: "name"))
  var name: String?

  @Option(
    help: .init("Sequences decoded at the same time. Self-CD takes two for each reply.", valueName: "n"))
  var lanes = 16

  @Option(
    help: .init(
      "Lanes besides, that keep the beginnings of prompts computed from request to request.", valueName: "n"))
  var cacheLanes = 2

  @Option(
    help: .init(
      "A calibrated profile of the model; the first one is how it decodes by default. Repeatable.",
      valueName: "file"))
  var profile: [String] = []

  @OptionGroup var model: ModelOptions

  func validate() throws {
    guard lanes >= 1 else { throw ValidationError("--lanes must be 1 or more.") }
    guard cacheLanes >= 0 else { throw ValidationError("--cache-lanes must be 0 or more.") }
    let options = try model.llamaOptions(lanes: lanes + cacheLanes)
    do { try options.validate() } catch { throw ValidationError("\(error)") }
  }

  /// - Parameter usesOwnProfile: whether the profile that the embedded model comes with is wanted.
  func provider(usesOwnProfile: Bool, console: Console) async throws -> LlamaModelProvider {
    var profiles = profile.map { UserFolders.current.expand($0) }
    if profiles.isEmpty, usesOwnProfile, try model.isEmbeddedModel {
      profiles = [Organism.biased.profilePath].compactMap(\.self)
    }
    let path = try await model.modelPath(console: console)
    // A file that cannot be read is the server's own error.
    if let file = try? GGUFFile(path: path) {
      ModelLoading.noteContext(of: file, size: model.ctxSize, console: console)
    }
    return LlamaModelProvider(
      name: name ?? LlamaModelProvider.name(of: model.model), path: path,
      options: try model.llamaOptions(lanes: lanes + cacheLanes), template: try model.templateOptions(),
      stepMode: model.stepMode, lanes: lanes, profiles: profiles)
  }
}
