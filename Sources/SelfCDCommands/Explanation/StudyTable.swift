import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDExplain
import SelfCDStatistics
import SelfCDSupport

/// A data set as results name it.
struct DatasetRecord: Encodable {
  let name: String
  let sha256: String
  let n: Int

  init(_ dataset: Dataset) {
    name = dataset.name
    sha256 = dataset.sha256
    n = dataset.samples.count
  }
}

/// Attributions over a set of prompts, as `--json` prints them.
struct StudyRecord: Encodable {
  let model: NamedModel
  let codeVersion = SelfCDVersion.current
  let datasets: [DatasetRecord]
  let views: [String]
  let beginnings: RefusalBeginnings
  /// The column whose groups are resampled.
  let group: String?
  let result: AttributionStudy.Result

  init(
    model: NamedModel, datasets: [Dataset], views: [RefusalProbe.View], beginnings: RefusalBeginnings,
    group: String?, result: AttributionStudy.Result
  ) {
    self.model = model
    self.datasets = datasets.map(DatasetRecord.init)
    self.views = views.map { StrategyTitle.of($0.strategy) }
    self.beginnings = beginnings
    self.group = group
    self.result = result
  }
}

/// Attributions over a set of prompts, for a terminal.
struct StudyTable {
  private let result: AttributionStudy.Result
  private let group: String?
  private let console: Console

  /// - Parameter group: The column whose groups are resampled; nil where prompts are.
  init(_ result: AttributionStudy.Result, group: String?, console: Console) {
    self.result = result
    self.group = group
    self.console = console
  }

  var text: String {
    let methods = AttributionMethod.allCases.filter { method in
      result.groups.contains { $0.method == method }
    }
    guard !methods.isEmpty else {
      return "No prompt has focus words beside others, so there is nothing to compare. "
        + "Files name them in a column 'focus'.\n"
    }
    var blocks = methods.map(groups)
    blocks += [contrasts, recalls, agreements].filter { !$0.isEmpty }
    let shares = group == nil ? "; Wilson for shares of prompts" : ""
    var notes =
      "95 % intervals (bootstrap over \(MeanText.resampled(by: group))\(shares)). Effects in nats of log-odds.\n"
    if let remark = MeanText.remark(result.means, group: group) { notes += remark + "\n" }
    if result.withoutFocus > 0 {
      let prompts = NumberFormat.counted(result.withoutFocus, "prompt")
      notes += "\(prompts) without a focus word, or of nothing else, "
      notes += "\(result.withoutFocus == 1 ? "is" : "are") left out.\n"
    }
    if result.failures > 0 {
      notes += "\(NumberFormat.counted(result.failures, "prompt")) could not be answered.\n"
    }
    return blocks.joined(separator: "\n") + "\n" + console.wrapped(notes)
  }

  private func groups(_ method: AttributionMethod) -> String {
    var lines = [[method.optionName, "n", "share on focus", "uniform", "focus word", "other words"]]
    for group in result.groups where group.method == method {
      let outcome = group.refused.map { $0 ? "refused" : "answered" } ?? "all"
      lines.append([
        "\(group.set.rawValue), \(group.view), \(outcome)", "\(group.n)", Self.interval(group.share),
        NumberFormat.decimal(group.uniform, 2), Self.interval(group.focus), Self.interval(group.others),
      ])
    }
    return EvaluationTable.table(lines, console: console)
  }

  private var contrasts: String {
    guard !result.contrasts.isEmpty else { return "" }
    var lines = [
      ["same prompts", "n", "share on focus", "uniform", "difference", "focus word", "other words"]
    ]
    for row in result.contrasts {
      lines.append([
        "\(row.set.rawValue), \(row.method.optionName)", "\(row.n)",
        "\(NumberFormat.decimal(row.refusedShare, 3)) against \(NumberFormat.decimal(row.answeredShare, 3))",
        NumberFormat.decimal(row.uniform, 2), Self.interval(row.share), Self.interval(row.focus),
        Self.interval(row.others),
      ])
    }
    let views = result.contrasts[0]
    return EvaluationTable.table(lines, console: console)
      + "refused under \(views.refusedUnder) against answered under \(views.answeredUnder); differences of effects are "
      + "the first less the second.\n"
  }

  private var recalls: String {
    guard let first = result.recalls.first else { return "" }
    var lines = [
      [
        "smallest part still refused", "n", "words", "holds focus", "focus alone", "focus and object",
        "prompts", "calls",
      ]
    ]
    for row in result.recalls {
      lines.append([
        row.set.rawValue, "\(row.n)",
        "\(NumberFormat.decimal(row.words, 1)) of \(NumberFormat.decimal(row.promptWords, 1))",
        Self.percent(row.withTask),
        Self.percent(row.taskAlone),
        row.signalAware.map { "\(Self.percent($0)) of \(row.withObjectNamed)" } ?? "–",
        NumberFormat.decimal(row.prompts, 1), NumberFormat.decimal(row.calls, 1),
      ])
    }
    return EvaluationTable.table(lines, console: console)
      + "refused under \(first.view), by \(first.criterion.rawValue); focus and object: signal-aware recall.\n"
  }

  private var agreements: String {
    var lines = [["against the judged reply", "n", "agree", "refusals found"]]
    for row in result.agreements {
      lines.append([
        "\(row.view), \(row.criterion.rawValue)", "\(row.n)", "\(row.agreeing)",
        "\(row.refusalsFound) of \(row.refusals)",
      ])
    }
    return EvaluationTable.table(lines, console: console)
  }

  private static func interval(_ value: BootstrapMean) -> String {
    MeanText.cell(value) { NumberFormat.decimal($0, abs($0) < 1 ? 3 : 2) }
  }

  private static func percent(_ value: BootstrapMean) -> String {
    let estimate = EvaluationTable.percent(value.estimate) + " %"
    guard let interval = value.interval else { return estimate + " [–]" }
    return estimate + " [\(EvaluationTable.percent(interval.low)), \(EvaluationTable.percent(interval.high))]"
  }
}
