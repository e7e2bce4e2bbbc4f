import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDExplain
import SelfCDLlama
import SelfCDReport
import SelfCDStore
import SelfCDSupport

/// The page that is written besides.
struct ExplanationPageOptions: ParsableArguments {
  @Option(
    help: .init(
      "Write a self-contained page with charts, the replies and the lanes' candidates; '-' is standard output.",
      valueName: "path"))
  var html: String?

  @Flag(help: "Show replies to harmful prompts on the page too.")
  var showHarmful = false

  func validate() throws {
    if html == "" { throw ValidationError("--html needs the name of a file, or '-'.") }
    if showHarmful, html == nil { throw ValidationError("--show-harmful has no effect without --html.") }
  }
}

extension ExplainSession {
  /// Every view's reply with the lanes' candidates.
  func replies(to chat: Chat) async throws -> [ReplyTrace] {
    try await Self.interruptible(label: "writing the replies down") { _ in
      try await ReplyTracer(probe: probe, judge: judge).trace(chat, vocabulary: loaded.vocabulary)
    }
  }

  /// What has to be known to judge and repeat an explanation.
  func facts(seed: UInt64) throws -> [ReportRecord.Fact] {
    try PageFacts.of(loaded.model, views: probe.views, system: system, seed: seed)
  }
}

/// What a page says of where it comes from.
enum PageFacts {
  static func of(
    _ model: LlamaModel, views: [RefusalProbe.View], system: String?, seed: UInt64?
  ) throws -> [ReportRecord.Fact] {
    let identity = try ModelIdentity(path: model.path, adapters: model.options.adapters)
    var facts: [ReportRecord.Fact] = [
      .init("Model", URL(filePath: model.path).lastPathComponent), .init("Model SHA-256", identity.sha256),
    ]
    facts += identity.adapters.map { .init("Adapter", $0.summary) }
    facts += [
      .init("Command", commandLine(CommandLine.arguments)),
      .init("Program", "selfcd \(SelfCDVersion.current)"),
    ]
    facts += try views.map { .init("View \($0.name)", try CanonicalJSON.text($0.strategy)) }
    facts += [
      .init("System prompt", system ?? "none"), .init("Seed", seed.map(String.init) ?? "none"),
      .init("Machine", RunRecord.Machine.current.summary),
    ]
    return facts
  }

  /// A command as a shell would take it. Of the program, and of files that are named by their whole path, only the
  /// names: a page is passed on, and folders have users' names in them.
  static func commandLine(_ arguments: [String]) -> String {
    arguments.enumerated().map { index, argument in
      if index == 0 { return ShellWord.quoted(OutputFile.name(argument)) }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if argument.hasPrefix("--"), parts.count == 2 {
        return ShellWord.quoted("\(parts[0])=\(withoutFolders(String(parts[1])))")
      }
      return ShellWord.quoted(withoutFolders(argument))
    }.joined(separator: " ")
  }

  /// Questions may begin with a slash too, and stay: they are no files.
  private static func withoutFolders(_ argument: String) -> String {
    let isPath = ["/", "~/", "./", "../"].contains { argument.hasPrefix($0) }
    let hasSpaces = argument.contains(where: \.isWhitespace)
    guard isPath, !hasSpaces || FileManager.default.fileExists(atPath: UserFolders.current.expand(argument))
    else { return argument }
    return OutputFile.name(argument)
  }
}
