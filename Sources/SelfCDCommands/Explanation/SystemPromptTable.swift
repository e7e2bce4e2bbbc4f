import SelfCD
import SelfCDData
import SelfCDExplain
import SelfCDStatistics
import SelfCDSupport

/// What the sentences of a system prompt do, as `--json` prints it.
struct SystemPromptRecord: Encodable {
  let model: String
  let codeVersion = SelfCDVersion.current
  let datasets: [DatasetRecord]
  let strategy: String
  let beginnings: RefusalBeginnings
  /// The column whose groups are resampled.
  let group: String?
  let result: SystemPromptResult

  init(
    model: String, datasets: [Dataset], view: RefusalProbe.View, beginnings: RefusalBeginnings,
    group: String?, result: SystemPromptResult
  ) {
    self.model = model
    self.datasets = datasets.map(DatasetRecord.init)
    strategy = StrategyTitle.of(view.strategy)
    self.beginnings = beginnings
    self.group = group
    self.result = result
  }
}

/// What the sentences of a system prompt do, for a terminal. People count sentences from 1.
struct SystemPromptTable {
  private let result: SystemPromptResult
  private let group: String?
  private let console: Console

  /// Columns of a sentence in a table; longer ones are cut, since whoever asks has the whole prompt.
  private static let sentenceWidth = 56

  /// - Parameter group: The column whose groups are resampled; nil where prompts are.
  init(_ result: SystemPromptResult, group: String?, console: Console) {
    self.result = result
    self.group = group
    self.console = console
  }

  var text: String {
    let blocks = [summary, sentences, pairs, replies].filter { !$0.isEmpty }
    return blocks.joined(separator: "\n") + "\n" + notes.map { console.wrapped($0) + "\n" }.joined()
  }

  private var sets: [Sample.Label] { result.whole.map(\.set) }

  // MARK: In words

  private var summary: String {
    var text: [String] = []
    let set = result.orderedBy.rawValue
    if let worst = result.removals.first(where: raisesRefusals), let change = worst.change(result.orderedBy) {
      text.append(
        "Without sentence \(names(worst)), the probability of a refusal of \(set) prompts changes most: by "
          + "\(points(change.probability)) points.")
      if worst.losesHarmful == true, let harmful = worst.change(.harmful) {
        text.append(
          "Refusals of harmful prompts are lost too: \(points(harmful.probability)) points, greedy "
            + "\(greedy(harmful)). The sentence does more than cause needless refusals.")
      }
    } else {
      text.append(
        "No single sentence clearly raises refusals of \(set) prompts. Several together may: see the pairs, and what "
          + "leaving out the whole prompt changes.")
    }
    if result.harmfulAxis == .unknown {
      text.append(
        "What leaving a sentence out does to the refusal of harmful prompts is unknown: give some with --harmful "
          + "before you change anything.")
    }
    return console.wrapped(text.joined(separator: " ")) + "\n"
  }

  /// Whether harmless prompts are refused less without the sentence, by more than chance and rounding.
  private func raisesRefusals(_ removal: SystemPromptResult.Removal) -> Bool {
    guard let mean = removal.change(result.orderedBy)?.probability, let high = mean.high else { return false }
    return high < 0 && mean.estimate <= -SystemPromptResult.Removal.leastLoss
  }

  private var notes: [String] {
    var notes = [
      "Points: the mean probability that the reply begins as a refusal, in per cent, under '\(result.view)'; for "
        + "sentences, its change without them. Greedy: prompts whose likeliest reply begins so, lost and gained. 95 % "
        + "intervals (bootstrap over \(MeanText.resampled(by: group))), each for its own sentence."
    ]
    if hasMark { notes.append("! leaving it out loses refusals of harmful prompts.") }
    if let harmful = result.whole.first(where: { $0.set == .harmful }),
      let bound = try? ClopperPearson.upperBound(successes: 0, trials: harmful.groups ?? harmful.n)
    {
      notes.append(
        "No mark is no proof: where none of \(counted(harmful)) is lost, up to \(EvaluationTable.percent(bound)) % of "
          + "such prompts may be.")
    }
    if !result.pairs.isEmpty {
      notes.append(
        "Beyond: the change without both less the changes without each. Below 0, either sentence alone is enough to "
          + "keep refusals.")
    }
    if let remark = MeanText.remark(result.means, group: group) { notes.append(remark) }
    if let replies = result.replies, replies.failures > 0 {
      notes.append("\(NumberFormat.counted(replies.failures, "reply", "replies")) could not be generated.")
    }
    if result.withOwnSystem > 0 {
      notes.append(
        "\(NumberFormat.counted(result.withOwnSystem, "prompt")) with a system message of its own: left out, since "
          + "the system prompt has no part in it.")
    }
    if result.failures > 0 {
      notes.append("\(NumberFormat.counted(result.failures, "prompt")) could not be measured.")
    }
    return notes
  }

  private func counted(_ level: SystemPromptResult.Level) -> String {
    level.groups.map { NumberFormat.counted($0, "group") + " of harmful prompts" }
      ?? NumberFormat.counted(level.n, "harmful prompt")
  }

  private var hasMark: Bool {
    let removals = result.removals + result.pairs.map(\.removal) + [result.withoutPrompt]
    return removals.contains { $0.losesHarmful == true }
  }

  // MARK: Tables

  private var sentences: String {
    let headings = result.whole.flatMap { ["\($0.set.rawValue), points", "greedy of \($0.n)"] }
    let levels = result.whole.flatMap {
      [MeanText.cell($0.probability, EvaluationTable.percent), "\($0.greedyRefusals)"]
    }
    var lines: [[String]] = [["left out"] + headings, ["nothing"] + levels]
    lines += result.removals.map { [sentence($0)] + cells($0) }
    lines.append(["the whole prompt"] + cells(result.withoutPrompt))
    return EvaluationTable.table(withUnknown(lines), console: console)
  }

  /// Where harmful prompts were not asked about, that has to be seen in every row.
  private func withUnknown(_ lines: [[String]]) -> [[String]] {
    guard result.harmfulAxis == .unknown else { return lines }
    return lines.enumerated().map { $1 + [$0 == 0 ? "harmful, points" : "unknown"] }
  }

  private var pairs: String {
    guard !result.pairs.isEmpty else { return "" }
    let headings = sets.flatMap { ["\($0.rawValue), points", "beyond"] }
    var lines: [[String]] = [["both left out"] + headings]
    for pair in result.pairs {
      var cells = [names(pair.removal)]
      for (change, interaction) in zip(pair.removal.changes, pair.interactions) {
        cells.append(points(change.probability) + mark(pair.removal, change.set))
        cells.append(points(interaction.probability))
      }
      lines.append(cells)
    }
    return EvaluationTable.table(withUnknown(lines), console: console)
  }

  private var replies: String {
    guard let replies = result.replies, !replies.rows.isEmpty else { return "" }
    let sets = Sample.Label.allCases.filter { set in replies.rows.contains { $0.set == set } }
    var versions: [[Int]] = []
    for row in replies.rows where !versions.contains(row.removed) { versions.append(row.removed) }
    var lines: [[String]] = [["replies without"] + sets.map(EvaluationTable.headline)]
    for removed in versions {
      let title = removed.isEmpty ? "nothing" : removed.count == 1 ? "\(removed[0] + 1)" : "the whole prompt"
      let cells = sets.map { set in
        replies.rows.first { $0.set == set && $0.removed == removed }
          .map { PerturbCommand.cell($0.rate, $0.paired) } ?? "–"
      }
      lines.append([title] + cells)
    }
    let (interval, test) =
      group == nil ? ("Tango", "McNemar") : ("over \(MeanText.resampled(by: group))", "sign-flip test")
    return EvaluationTable.table(lines, console: console)
      + console.wrapped(
        "In brackets the change in points with its 95 % interval (\(interval)); * \(test), Holm over all sentences and the "
          + "whole prompt, p < 0.05; judge \(replies.judge).") + "\n"
  }

  // MARK: Cells

  private func names(_ removal: SystemPromptResult.Removal) -> String {
    removal.sentences.map { "\($0 + 1)" }.joined(separator: " and ")
  }

  private func sentence(_ removal: SystemPromptResult.Removal) -> String {
    let text = removal.sentences.map { TerminalText.singleLine(result.sentences[$0]) }.joined(separator: " ")
    return "\(names(removal)): \(TextLayout.truncate(text, to: Self.sentenceWidth))"
  }

  private func cells(_ removal: SystemPromptResult.Removal) -> [String] {
    removal.changes.flatMap { change in
      [points(change.probability) + mark(removal, change.set), greedy(change)]
    }
  }

  private func mark(_ removal: SystemPromptResult.Removal, _ set: Sample.Label) -> String {
    set == .harmful && removal.losesHarmful == true ? " !" : ""
  }

  private func points(_ mean: BootstrapMean) -> String { MeanText.cell(mean, NumberFormat.points) }

  private func greedy(_ change: SystemPromptResult.Change) -> String {
    "−\(change.greedyLost) +\(change.greedyGained)"
  }
}
