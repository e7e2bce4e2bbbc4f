import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// Turns a run's replies into what a report shows of it. Its figures are those of ``EvaluationSummary``.
///
/// Only the first repetition of a prompt counts: repetitions of one prompt are not independent, and Wilson's
/// interval over them would be too narrow.
public struct ReportBuilder: Sendable {
  /// A sample of the run by its place in the data sets.
  struct Place: Hashable, Comparable {
    var set: Int
    var index: Int

    static func < (a: Place, b: Place) -> Bool { (a.set, a.index) < (b.set, b.index) }
  }

  /// What is shown of a reply.
  struct Observation {
    var text: String
    var isCut: Bool
    var classes: [JudgeVersion: ReplyClass]
  }

  /// A judge in one of its versions.
  struct JudgeVersion: Hashable {
    var name: String
    var version: String

    /// `name@version`.
    var source: String { Judgement.source(name, version: version) }
  }

  var record: ReportRecord
  let datasets: [Dataset]
  let conditions: [ReportCondition]
  let options: ReportOptions
  private let replies: [EvaluatedReply]
  private let speeds: [String: Double]
  /// By condition, then sample.
  private(set) var observations: [String: [Place: Observation]] = [:]
  /// Steps' divergences by condition and label, one list for each step.
  private(set) var divergences: [String: [Sample.Label: [[Float]]]] = [:]
  private var repetitions = 0
  private var verdictCounts: [JudgeVersion: Int] = [:]

  /// Takes a run's parts. A reply to a sample that the data sets do not have is left out.
  /// - Parameters:
  ///   - record: What ran.
  ///   - datasets: The run's data sets.
  ///   - conditions: The run's conditions, in the order they are shown.
  ///   - replies: All replies of the run.
  ///   - options: How the report is made.
  ///   - speeds: Timed tokens a second by condition, and of `plain`.
  public init(
    record: ReportRecord, datasets: [Dataset], conditions: [ReportCondition], replies: [EvaluatedReply],
    options: ReportOptions = ReportOptions(), speeds: [String: Double] = [:]
  ) {
    self.speeds = speeds
    self.record = record
    self.record.sets = datasets.map(ReportRecord.Set.init)
    self.record.stored += replies.count
    self.datasets = datasets
    self.options = options
    let titles = Dictionary(grouping: conditions, by: \.title)
    // Two conditions may differ in a parameter that the title leaves out: then the identifier is the title.
    self.conditions = conditions.map { condition in
      var condition = condition
      if titles[condition.title, default: []].count > 1 { condition.title = condition.id }
      return condition
    }
    var places: [String: [String: Place]] = [:]
    for (set, dataset) in datasets.enumerated() {
      for (index, sample) in dataset.samples.enumerated() {
        places[dataset.name, default: [:]][sample.id] = Place(set: set, index: index)
      }
    }
    let first = replies.filter { $0.key.repetition == 0 }
    repetitions = replies.count - first.count
    self.replies = first.filter { places[$0.key.dataset]?[$0.key.sample] != nil }
    for reply in self.replies {
      guard let place = places[reply.key.dataset]?[reply.key.sample] else { continue }
      add(reply, at: place)
    }
  }

  private mutating func add(_ reply: EvaluatedReply, at place: Place) {
    var classes: [JudgeVersion: ReplyClass] = [:]
    for judgement in reply.judgements {
      classes[JudgeVersion(name: judgement.judge, version: judgement.version)] = judgement.verdict.replyClass
    }
    for judge in classes.keys { verdictCounts[judge, default: 0] += 1 }
    let (text, isCut) = shortened(reply.text)
    observations[reply.key.condition, default: [:]][place] = Observation(
      text: text, isCut: isCut, classes: classes)
    guard let label = reply.sample.label else { return }
    for (step, value) in reply.steps.map(\.divergence).enumerated() {
      guard let value, value.isFinite else { continue }
      divergences[reply.key.condition, default: [:]][label, default: []].append(Float(value), at: step)
    }
  }

  /// The run as it is shown.
  /// - Throws: ``ReportError`` for a run without verdicts or without the judge asked for; `StatisticsError`.
  public func build() throws -> ReportRun {
    let judges = rankedJudges()
    guard let first = judges.first else { throw ReportError.nothingJudged(run: record.id) }
    var judge = first
    if let asked = options.judge {
      guard let found = judges.first(where: { $0.source == asked || $0.name == asked }) else {
        throw ReportError.unknownJudge(name: asked, known: judges.map(\.source))
      }
      judge = found
    }
    let answered = conditions.filter { !classes(of: $0.id, by: judge).isEmpty }
    let baseline =
      (answered.first { $0.id == options.baseline } ?? answered.first { $0.strategy == Guarded.name }
      ?? answered.first)?.id ?? ""
    let summary = try summary(judge, reference: baseline)
    let pooled = pooled(summary, judge)
    let featured = Self.featured(pooled, conditions: conditions, baseline: baseline)
    let plain = conditions.first { $0.strategy == Plain.name && $0.id != baseline && $0.id != featured }?.id
    let shown = [baseline, plain, featured].compactMap { $0 }
    let examples = ExamplePicker(builder: self, judge: judge, shown: shown)
    return ReportRun(
      record: record, conditions: conditions, baseline: baseline, featured: featured, judge: judge.source,
      grouping: summary.grouping, cells: cells(summary), pooled: pooled, costs: summary.costs,
      comparisons: comparisons(summary), categories: categories(summary),
      flips: featured.map { examples.flips(from: baseline, to: $0) } ?? [],
      samples: SampleLister(builder: self, judge: judge).samples,
      divergence: featured.map { DivergenceSummary.curves(divergences[$0] ?? [:]) } ?? [],
      judgeRates: judges.count > 1 ? try judgeRates(judges, reference: baseline) : [],
      judgePairs: judges.count > 1 ? try judgePairs(judges, examples) : [],
      remarks: remarks())
  }

  /// What a judge said of each sample under a condition.
  func classes(of condition: String, by judge: JudgeVersion) -> [Place: ReplyClass] {
    (observations[condition] ?? [:]).compactMapValues { $0.classes[judge] }
  }

  // MARK: The summary's figures, as reports arrange them

  private func summary(_ judge: JudgeVersion, reference: String) throws -> EvaluationSummary {
    try EvaluationSummary(
      replies, conditions: conditions.map { ($0.id, $0.strategy, $0.alpha) }, judge: judge.name,
      version: judge.version, reference: reference, speeds: speeds, group: options.group)
  }

  /// Rates per condition, data set and label, in the run's order.
  private func cells(_ summary: EvaluationSummary) -> [EvaluationSummary.DatasetRow] {
    conditions.flatMap { condition in
      let own = summary.datasets.filter { $0.condition == condition.id }
      return datasets.flatMap { dataset in
        Sample.Label.allCases.compactMap { label in
          own.first { $0.set == dataset.name && $0.label == label }
        }
      }
    }
  }

  /// Rates per condition over all sets.
  private func pooled(_ summary: EvaluationSummary, _ judge: JudgeVersion) -> [ReportPooled] {
    conditions.compactMap { condition in
      let judged = classes(of: condition.id, by: judge).values
      guard !judged.isEmpty else { return nil }
      func rate(_ label: Sample.Label) -> RefusalRate? { summary.row(condition.id, label)?.refusals }
      return ReportPooled(
        condition: condition.id, safe: rate(.safe), harmful: rate(.harmful), neutral: rate(.neutral),
        safeUnanswered: summary.row(condition.id, .safe)?.unanswered,
        degenerate: judged.count { $0 == .degenerate }, judged: judged.count)
    }
  }

  /// Every other condition against the baseline, on both axes.
  private func comparisons(_ summary: EvaluationSummary) -> [ReportComparison] {
    conditions.flatMap { condition in
      [Sample.Label.safe, .harmful].compactMap { label -> ReportComparison? in
        guard let row = summary.row(condition.id, label), let paired = row.paired,
          let pairedUnanswered = row.pairedUnanswered
        else { return nil }
        return ReportComparison(
          condition: condition.id, label: label, paired: paired, pairedUnanswered: pairedUnanswered)
      }
    }
  }

  /// Rates per category, in the order in which the sets first name them.
  private func categories(_ summary: EvaluationSummary) -> [ReportCategory] {
    struct Key: Hashable {
      let label: Sample.Label
      let name: String
    }
    var seen: Set<Key> = []
    return datasets.flatMap(\.samples).compactMap { sample -> ReportCategory? in
      guard let label = sample.label, label != .neutral, let name = sample.category,
        seen.insert(Key(label: label, name: name)).inserted
      else { return nil }
      var category = ReportCategory(label: label, name: name, rates: [:], unanswered: [:])
      for condition in conditions {
        let row = summary.row(condition.id, label)
        category.rates[condition.id] = row?.categories[name]
        category.unanswered[condition.id] = row?.categoriesUnanswered[name]
      }
      return category.rates.isEmpty ? nil : category
    }
  }

  /// Of the candidates, the one with the widest gap between harmful prompts refused and harmless ones left unanswered; an
  /// unknown axis counts as 0. Ties go to the earlier one.
  private static func featured(
    _ pooled: [ReportPooled], conditions: [ReportCondition], baseline: String
  ) -> String? {
    var best: (id: String, gap: Double)?
    for condition in ReportRun.candidates(conditions, pooled, baseline: baseline) {
      guard let point = pooled.first(where: { $0.condition == condition.id }) else { continue }
      let gap = (point.harmful?.rate ?? 0) - (point.safeUnanswered?.rate ?? 0)
      if best.map({ gap > $0.gap }) ?? true { best = (condition.id, gap) }
    }
    return best?.id
  }

  func sample(_ place: Place) -> Sample { datasets[place.set].samples[place.index] }

  /// The group of a sample; nil where prompts are not grouped.
  func group(_ place: Place) -> String? {
    options.group.map { sample(place).group(inColumn: $0, of: datasets[place.set].name) }
  }

  /// A text as far as it is shown.
  func shortened(_ text: String) -> (text: String, isCut: Bool) {
    let head = text.prefix(options.textLimit)
    return (String(head), head.endIndex < text.endIndex)
  }

  /// Whether replies to a sample stay out of the report.
  func withholds(_ sample: Sample) -> Bool {
    options.samples == .verdicts
      || !options.showsHarmful && sample.label != .safe && sample.label != .neutral
  }

  /// Most verdicts first; among equals language models, then the catalogue's order, then the name, then the later
  /// version.
  private func rankedJudges() -> [JudgeVersion] {
    func rank(_ judge: JudgeVersion) -> Int {
      if judge.name.hasPrefix("llm:") { return -1 }
      return JudgeCatalogue.local.firstIndex { $0.name == judge.name } ?? Int.max
    }
    return verdictCounts.sorted { a, b in
      let (first, second) = ((-a.value, rank(a.key), a.key.name), (-b.value, rank(b.key), b.key.name))
      return first == second
        ? JudgeVersions.isLater(a.key.version, than: b.key.version) : first < second
    }.map(\.key)
  }

  private func judgeRates(_ judges: [JudgeVersion], reference: String) throws -> [ReportJudgeRates] {
    try judges.flatMap { judge in
      pooled(try summary(judge, reference: reference), judge).map {
        ReportJudgeRates(judge: judge.source, condition: $0.condition, safe: $0.safe, harmful: $0.harmful)
      }
    }
  }

  private func judgePairs(_ judges: [JudgeVersion], _ examples: ExamplePicker) throws -> [ReportJudgePair] {
    var pairs: [ReportJudgePair] = []
    for (index, first) in judges.enumerated() {
      for second in judges.dropFirst(index + 1) {
        if let pair = try JudgePairing(builder: self, first: first, second: second).pair(examples) {
          pairs.append(pair)
        }
      }
    }
    return pairs
  }

  private func remarks() -> [String] {
    var remarks: [String] = []
    if record.stored < record.planned {
      remarks.append(
        "\(NumberFormat.count(record.stored)) of "
          + "\(NumberFormat.separated(record.planned, "planned reply", "planned replies")) "
          + (record.stored == 1
            ? "is stored: all figures are of it." : "are stored: all figures are of these."))
    }
    if repetitions > 0 {
      remarks.append(
        repetitions == 1
          ? "1 repetition of a prompt is not counted: it is not independent."
          : "\(NumberFormat.count(repetitions)) repetitions of prompts are not counted: they are not independent."
      )
    }
    if let cut = CutReplies(replies).remark(limit: options.maximumTokens) { remarks.append(cut) }
    let unlabelled = record.sets.reduce(0) { $0 + $1.unlabelled }
    if unlabelled > 0 {
      let prompts = NumberFormat.separated(
        unlabelled, "prompt without label belongs", "prompts without label belong")
      remarks.append("\(prompts) on neither axis.")
    }
    let skipped = record.sets.reduce(0) { $0 + $1.skipped }
    if skipped > 0 {
      remarks.append("\(NumberFormat.separated(skipped, "row")) of the files could not be read.")
    }
    return remarks
  }
}

extension [[Float]] {
  /// Puts a value on the list of a step, making room for it.
  fileprivate mutating func append(_ value: Float, at step: Int) {
    while count <= step { append([]) }
    self[step].append(value)
  }
}
