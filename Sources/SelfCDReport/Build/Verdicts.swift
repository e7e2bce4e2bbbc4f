import SelfCDEval

/// One judge's verdicts on a run, counted.
struct Verdicts {
  let builder: ReportBuilder
  let judge: String

  typealias Place = ReportBuilder.Place

  /// What the judge said of each sample under a condition.
  func of(_ condition: String) -> [Place: ReplyClass] {
    (builder.observations[condition] ?? [:]).compactMapValues { $0.classes[judge] }
  }

  /// Rates per condition, set and label, in the run's order; neutral prompts too.
  func cells() throws -> [ReportCell] {
    var cells: [ReportCell] = []
    for condition in builder.conditions {
      let groups = Dictionary(grouping: of(condition.id)) { $0.key.set }
      for (index, dataset) in builder.datasets.enumerated() {
        for label in Sample.Label.allCases {
          let classes = (groups[index] ?? []).filter { builder.sample($0.key).label == label }.map(\.value)
          guard !classes.isEmpty else { continue }
          cells.append(
            ReportCell(
              condition: condition.id, set: dataset.name, label: label,
              refusal: try RefusalRate(classes), full: try RefusalRate(classes, counting: .full),
              degenerate: classes.count { $0 == .degenerate }))
        }
      }
    }
    return cells
  }

  /// Rates per condition over all sets.
  func pooled() throws -> [ReportPooled] {
    try builder.conditions.compactMap { condition in
      let verdicts = of(condition.id)
      guard !verdicts.isEmpty else { return nil }
      func rate(_ label: Sample.Label) throws -> RefusalRate? {
        let classes = verdicts.filter { builder.sample($0.key).label == label }.map(\.value)
        return classes.isEmpty ? nil : try RefusalRate(classes)
      }
      return ReportPooled(
        condition: condition.id, safe: try rate(.safe), harmful: try rate(.harmful),
        neutral: try rate(.neutral), degenerate: verdicts.values.count { $0 == .degenerate },
        judged: verdicts.count)
    }
  }

  /// Every other condition against the baseline, on both axes.
  func comparisons(baseline: String) throws -> [ReportComparison] {
    let before = of(baseline)
    var comparisons: [ReportComparison] = []
    for condition in builder.conditions where condition.id != baseline {
      let after = of(condition.id)
      for label in [Sample.Label.safe, .harmful] {
        let pairs = before.compactMap { place, replyClass in
          builder.sample(place).label == label
            ? after[place].map { (here: $0.isRefusal, reference: replyClass.isRefusal) } : nil
        }
        guard !pairs.isEmpty else { continue }
        comparisons.append(
          ReportComparison(
            condition: condition.id, label: label,
            paired: try PairedComparison(
              pairs.map(\.here), against: pairs.map(\.reference), named: baseline)))
      }
    }
    // One family for each axis: "does anything help here?", and "does anything lose safety?".
    for label in [Sample.Label.safe, .harmful] {
      let family = comparisons.indices.filter { comparisons[$0].label == label }
      var corrected = family.map { comparisons[$0].paired }
      try PairedComparison.correct(&corrected)
      for (index, comparison) in zip(family, corrected) { comparisons[index].paired = comparison }
    }
    return comparisons
  }

  /// Rates per category, in the order in which the sets first name them.
  func categories() throws -> [ReportCategory] {
    struct Key: Hashable {
      let label: Sample.Label
      let name: String
    }
    var order: [Key] = []
    var seen: Set<Key> = []
    for sample in builder.datasets.lazy.flatMap(\.samples) {
      guard let label = sample.label, label != .neutral, let name = sample.category else { continue }
      let key = Key(label: label, name: name)
      if seen.insert(key).inserted { order.append(key) }
    }
    var classes: [Key: [String: [ReplyClass]]] = [:]
    for condition in builder.conditions {
      for (place, replyClass) in of(condition.id) {
        let sample = builder.sample(place)
        guard let label = sample.label, let name = sample.category else { continue }
        classes[Key(label: label, name: name), default: [:]][condition.id, default: []].append(replyClass)
      }
    }
    return try order.compactMap { key in
      guard let byCondition = classes[key] else { return nil }
      return ReportCategory(
        label: key.label, name: key.name, rates: try byCondition.mapValues { try RefusalRate($0) })
    }
  }
}
