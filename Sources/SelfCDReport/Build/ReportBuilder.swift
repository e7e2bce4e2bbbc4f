import SelfCDEval

/// Turns a run's replies into what a report shows of it.
///
/// Order of calls: make it with the run's record, sets and conditions, ``add(_:)`` every reply as it is read, then
/// ``build()`` once.
///
/// Only the first repetition of a prompt counts: repetitions of one prompt are not independent, and Wilson's
/// interval over them would be too narrow.
public struct ReportBuilder: Sendable {
  /// A sample of the run by its places.
  struct Place: Hashable, Comparable {
    var set: Int
    var index: Int

    static func < (a: Place, b: Place) -> Bool { (a.set, a.index) < (b.set, b.index) }
  }

  /// What is kept of a reply.
  struct Observation {
    var text: String
    var isCut: Bool
    var classes: [String: ReplyClass]
  }

  var record: ReportRecord
  let datasets: [Dataset]
  let conditions: [ReportCondition]
  let options: ReportOptions
  /// By condition, then sample.
  private(set) var observations: [String: [Place: Observation]] = [:]
  /// Steps' divergences by condition and label, one list for each step.
  private(set) var divergences: [String: [Sample.Label: [[Float]]]] = [:]
  private var places: [String: [String: Place]] = [:]
  private var costs: [String: [ReplyCost]] = [:]
  private let speeds: [String: Double]
  private var repetitions = 0
  private var verdictCounts: [String: Int] = [:]

  /// Begins; `speeds` are timed tokens a second by condition, and of `plain`.
  public init(
    record: ReportRecord, datasets: [Dataset], conditions: [ReportCondition], options: ReportOptions,
    speeds: [String: Double] = [:]
  ) {
    self.speeds = speeds
    self.record = record
    self.record.sets = datasets.map(ReportRecord.Set.init)
    self.datasets = datasets
    self.options = options
    let titles = Dictionary(grouping: conditions, by: \.title)
    // Two conditions may differ in a parameter that the title leaves out: then the identifier is the title.
    self.conditions = conditions.map { condition in
      var condition = condition
      if titles[condition.title, default: []].count > 1 { condition.title = condition.id }
      return condition
    }
    for (set, dataset) in datasets.enumerated() {
      for (index, sample) in dataset.samples.enumerated() {
        places[dataset.name, default: [:]][sample.id] = Place(set: set, index: index)
      }
    }
  }

  /// Takes one reply. One of a set or sample that the run does not have is left out.
  public mutating func add(_ reply: ReportReply) {
    record.stored += 1
    guard reply.repetition == 0 else {
      repetitions += 1
      return
    }
    guard let place = places[reply.set]?[reply.sample] else { return }
    if let cost = reply.cost { costs[reply.condition, default: []].append(cost) }
    var classes: [String: ReplyClass] = [:]
    for judgement in reply.judgements { classes[judgement.key] = judgement.replyClass }
    for judge in classes.keys { verdictCounts[judge, default: 0] += 1 }
    let (text, isCut) = shortened(reply.text)
    observations[reply.condition, default: [:]][place] = Observation(
      text: text, isCut: isCut, classes: classes)
    guard let label = sample(place).label else { return }
    for (step, value) in reply.divergence.enumerated() {
      guard let value, value.isFinite else { continue }
      divergences[reply.condition, default: [:]][label, default: []].append(Float(value), at: step)
    }
  }

  /// The run as it is shown.
  /// - Throws: ``ReportError`` for a run without verdicts or without the judge asked for; `StatisticsError`.
  public func build() throws -> ReportRun {
    let judges = rankedJudges()
    guard let first = judges.first else { throw ReportError.nothingJudged(run: record.id) }
    var judge = first
    if let asked = options.judge {
      guard let found = judges.first(where: { $0 == asked || $0.hasPrefix(asked + "@") }) else {
        throw ReportError.unknownJudge(name: asked, known: judges)
      }
      judge = found
    }
    let verdicts = Verdicts(builder: self, judge: judge)
    let pooled = try verdicts.pooled()
    let answered = conditions.filter { !verdicts.of($0.id).isEmpty }
    let baseline =
      (answered.first { $0.id == options.baseline } ?? answered.first { $0.strategy == "guarded" }
      ?? answered.first)?.id ?? ""
    let featured = Self.featured(pooled, conditions: conditions, baseline: baseline)
    let plain = conditions.first { $0.strategy == "plain" && $0.id != baseline && $0.id != featured }?.id
    let shown = [baseline, plain, featured].compactMap { $0 }
    let examples = ExamplePicker(builder: self, judge: judge, shown: shown)
    return ReportRun(
      record: record, conditions: conditions, baseline: baseline, featured: featured, judge: judge,
      cells: try verdicts.cells(), pooled: pooled,
      costs: conditions.reduce(into: [:]) { result, condition in
        result[condition.id] = ConditionCost(
          costs[condition.id] ?? [], tokensPerSecond: speeds[condition.id], plain: speeds[SpeedTrial.plain])
      },
      comparisons: try verdicts.comparisons(baseline: baseline),
      categories: try verdicts.categories(),
      flips: featured.map { examples.flips(from: baseline, to: $0) } ?? [],
      divergence: featured.map { DivergenceSummary.curves(divergences[$0] ?? [:]) } ?? [],
      judgeRates: judges.count > 1 ? try judgeRates(judges) : [],
      judgePairs: judges.count > 1 ? try judgePairs(judges, examples) : [],
      remarks: remarks())
  }

  /// Of the conditions that contrast, the one with the widest gap between harmful and harmless refusals; without
  /// any, of all but the baseline. Ties go to the earlier one.
  private static func featured(
    _ pooled: [ReportPooled], conditions: [ReportCondition], baseline: String
  ) -> String? {
    let others = conditions.filter { $0.id != baseline }
    let contrasting = others.filter { $0.alpha != nil }
    var best: (id: String, gap: Double)?
    for condition in contrasting.isEmpty ? others : contrasting {
      guard let point = pooled.first(where: { $0.condition == condition.id }) else { continue }
      guard point.safe != nil || point.harmful != nil else { continue }
      let gap = (point.harmful?.rate ?? 0) - (point.safe?.rate ?? 0)
      if best.map({ gap > $0.gap }) ?? true { best = (condition.id, gap) }
    }
    return best?.id
  }

  func sample(_ place: Place) -> Sample { datasets[place.set].samples[place.index] }

  /// A text as far as it is shown.
  func shortened(_ text: String) -> (text: String, isCut: Bool) {
    let head = text.prefix(options.textLimit)
    return (String(head), head.endIndex < text.endIndex)
  }

  /// Whether replies to a sample stay out of the report.
  func withholds(_ sample: Sample) -> Bool {
    !options.showsHarmful && sample.label != .safe && sample.label != .neutral
  }

  /// Most verdicts first; among equals language models, then the catalogue's order, then the name, then the later
  /// version.
  private func rankedJudges() -> [String] {
    func rank(_ judge: String) -> Int {
      if judge.hasPrefix("llm:") { return -1 }
      return JudgeCatalogue.local.firstIndex { judge.hasPrefix($0.name + "@") } ?? Int.max
    }
    func name(_ judge: String) -> Substring { judge[..<(judge.lastIndex(of: "@") ?? judge.endIndex)] }
    return verdictCounts.sorted { a, b in
      let (first, second) = ((-a.value, rank(a.key), name(a.key)), (-b.value, rank(b.key), name(b.key)))
      return first == second ? JudgeVersions.isLater(a.key, than: b.key) : first < second
    }.map(\.key)
  }

  private func judgeRates(_ judges: [String]) throws -> [ReportJudgeRates] {
    try judges.flatMap { judge in
      try Verdicts(builder: self, judge: judge).pooled().map {
        ReportJudgeRates(judge: judge, condition: $0.condition, safe: $0.safe, harmful: $0.harmful)
      }
    }
  }

  private func judgePairs(_ judges: [String], _ examples: ExamplePicker) throws -> [ReportJudgePair] {
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
        "\(Figures.count(record.stored)) of \(Figures.count(record.planned)) planned replies are stored: "
          + "all figures are of these.")
    }
    if repetitions > 0 {
      remarks.append(
        "\(Figures.count(repetitions)) repetitions of prompts are not counted: they are not independent.")
    }
    let unlabelled = record.sets.reduce(0) { $0 + $1.unlabelled }
    if unlabelled > 0 {
      remarks.append("\(Figures.count(unlabelled)) prompts without label belong on neither axis.")
    }
    let skipped = record.sets.reduce(0) { $0 + $1.skipped }
    if skipped > 0 { remarks.append("\(Figures.count(skipped)) rows of the files could not be read.") }
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
