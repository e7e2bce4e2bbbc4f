import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDOrganism
import SelfCDSupport

/// A calibrated setting instead of a strategy by name.
struct ProfileOptions: ParsableArguments {
  @Option(
    help: .init(
      "A calibrated setting of this model, made by 'selfcd calibrate', instead of --strategy and its options.",
      valueName: "file"))
  var profile: String?

  /// - Throws: `ValidationError` where a strategy is asked for beside the profile.
  func check(_ strategy: StrategyOptions, prompts: PromptOptions) throws {
    guard profile != nil, strategy.isGiven || prompts.changesLanes else { return }
    throw ValidationError(
      "--profile says how to decode, so \((strategy.given + prompts.given).joined(separator: ", ")) cannot be given "
        + "beside it. Leave one of them out.")
  }

  /// The profile named, checked against the model; nil where none is.
  /// - Throws: `CalibrationProfileError`, and what is wrong with the model's file.
  func load(for model: ModelOptions, console: Console) async throws -> LoadedProfile? {
    guard let profile else { return nil }
    return try await Self.load(
      UserFolders.current.expand(profile), for: model, console: console)
  }

  /// The profile named; or where nothing says how to decode, the one that the embedded model comes with.
  func loadOrDefault(
    for model: ModelOptions, strategy: StrategyOptions, prompts: PromptOptions, console: Console
  ) async throws -> LoadedProfile? {
    if profile != nil { return try await load(for: model, console: console) }
    guard try model.isEmbeddedModel, !strategy.isGiven, !prompts.changesLanes,
      let path = Organism.biased.profilePath
    else { return nil }
    return try await Self.load(path, for: model, console: console)
  }

  private static func load(
    _ path: String, for model: ModelOptions, console: Console
  ) async throws -> LoadedProfile {
    let profile = try CalibrationProfile.read(path: path)
    let file = try await model.modelPath(console: console)
    let identity = try ModelIdentity(path: file, adapters: model.adapterOptions.adapters)
    try profile.check(modelSHA256: identity.sha256)
    return LoadedProfile(name: URL(filePath: path).lastPathComponent, profile: profile)
  }
}

/// A profile that fits the model in use.
struct LoadedProfile {
  /// The file's name.
  let name: String
  let profile: CalibrationProfile

  var strategy: any DecodingStrategy { profile.strategy() }

  /// One line that says what is in force.
  var statement: String {
    "profile \(TerminalText.singleLine(name)): \(StrategyTitle.of(strategy)); \(profile.shortGuarantee)."
  }
}
