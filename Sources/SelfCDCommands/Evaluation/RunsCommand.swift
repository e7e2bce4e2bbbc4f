import ArgumentParser
import Foundation
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

/// `selfcd runs`: what is in the store.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List, show and delete stored runs.",
    discussion: """
      EXAMPLES
        selfcd runs
        selfcd runs show first --json
        selfcd runs delete first
      """,
    subcommands: [List.self, Show.self, Delete.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the runs, the latest first.",
      discussion: "EXAMPLES\n  selfcd runs list --json | jq -r '.[].run'")

    @OptionGroup var storeOptions: StoreOptions
    @Flag(help: "Print a JSON list instead of a table.")
    var json = false

    private struct Line: Encodable {
      let run: String
      let startedAt: String
      let finishedAt: String?
      let model: String
      let planned: Int
      let replies: Int
      let conditions: [String]
      /// Whether the replies were made elsewhere.
      let imported: Bool
    }

    func run() throws {
      let console = Console.standard
      guard FileManager.default.fileExists(atPath: storeOptions.path) else {
        if json { return try console.writeLine("[]") }
        return console.note("there is no run yet; the store would be \(storeOptions.path).")
      }
      let store = try storeOptions.open()
      let lines = try store.runs().map { run in
        Line(
          run: run.id, startedAt: run.startedAt.formatted(.iso8601),
          finishedAt: run.finishedAt?.formatted(.iso8601), model: run.model.name, planned: run.planned,
          replies: try store.replyCount(runID: run.id),
          conditions: try store.conditions(runID: run.id).map(\.id), imported: run.model.isImported)
      }
      if json { return try console.writeJSON(lines) }
      if lines.isEmpty { return console.note("there is no run in \(store.path).") }
      try console.write(
        EvaluationTable.table(
          [["run", "started", "replies", "model"]]
            + lines.map { line in
              [
                TerminalText.singleLine(line.run), line.startedAt, "\(line.replies)/\(line.planned)",
                TerminalText.singleLine(line.model) + (line.imported ? " (imported)" : ""),
              ]
            },
          console: console))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a run's figures.", discussion: "EXAMPLES\n  selfcd runs show first")

    @Argument(help: .init("The run: its name, the beginning of it, or 'latest'.", valueName: "run"))
    var name: String
    @OptionGroup var storeOptions: StoreOptions
    @Flag(help: "Print one JSON object instead of tables.")
    var json = false

    func run() throws {
      let console = Console.standard
      let store = try storeOptions.openExisting()
      let result = EvaluationResult(
        try StoredEvaluation(runID: try store.identifier(matching: name), in: store), store: store)
      if json {
        try console.writeJSON(result.record)
      } else {
        try console.write(EvaluationTable(result, console: console, store: storeOptions.arguments).text)
      }
    }
  }

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete runs with everything in them.",
      discussion: "EXAMPLES\n  selfcd runs delete first second")

    @Argument(help: .init("The runs, by their whole names.", valueName: "run")) var names: [String]
    @OptionGroup var storeOptions: StoreOptions

    func run() throws {
      let console = Console.standard
      let store = try storeOptions.openExisting()
      let known = try store.runs().map(\.id)
      var runs: [RunRecord] = []
      // All of them have to be there before the first one goes. One that is named twice goes once.
      for name in names where !runs.contains(where: { $0.id == name }) {
        guard known.contains(name) else { throw CommandError.invalid(message(unknown: name, known: known)) }
        runs.append(try store.run(id: name))
      }
      for run in runs {
        let replies = NumberFormat.counted(try store.replyCount(runID: run.id), "reply", "replies")
        try store.delete(runID: run.id)
        try console.writeLine(
          "deleted run '\(TerminalText.singleLine(run.id))': \(replies) of \(TerminalText.singleLine(run.model.name)), "
            + "begun \(NumberFormat.date(run.startedAt))")
      }
    }

    /// Elsewhere a beginning is enough, or 'latest'; what is deleted cannot be brought back.
    private func message(unknown name: String, known: [String]) -> String {
      func list(_ names: [String]) -> String {
        let shown = names.prefix(5).map { "'\(TerminalText.singleLine($0))'" }.joined(separator: ", ")
        return names.count > 5 ? shown + " and \(names.count - 5) more" : shown
      }
      let alike = name == "latest" ? Array(known.prefix(1)) : known.filter { $0.hasPrefix(name) }
      let hint =
        known.isEmpty
        ? "The store holds no run."
        : alike.isEmpty
          ? "The latest are \(list(known))."
          : name == "latest" ? "The latest is \(list(alike))." : "It is the beginning of \(list(alike))."
      let all = (["selfcd", "runs"] + storeOptions.arguments).map(ShellWord.quoted).joined(separator: " ")
      return
        "There is no run with the whole name '\(TerminalText.singleLine(name))', and runs are deleted by their whole names "
        + "only. \(hint) '\(all)' lists them. Nothing was deleted."
    }
  }
}
