import SelfCDJudges
import SelfCDStatistics

/// Two judges on the replies that both have judged.
struct JudgePairing {
  let builder: ReportBuilder
  let first: ReportBuilder.JudgeVersion
  let second: ReportBuilder.JudgeVersion

  /// Their agreement; nil if they share no reply.
  func pair(_ picker: ExamplePicker) throws -> ReportJudgePair? {
    var reference: [String] = []
    var judged: [String] = []
    var groups: [String] = []
    var split: [ReportBuilder.Place: (condition: String, first: ReplyClass, second: ReplyClass)] = [:]
    for condition in builder.conditions {
      for (place, observation) in builder.observations[condition.id] ?? [:] {
        guard let a = observation.classes[first], let b = observation.classes[second] else { continue }
        reference.append(a.rawValue)
        judged.append(b.rawValue)
        groups.append(builder.group(place) ?? "")
        // One disagreement for each prompt is enough to show.
        if a != b, split[place] == nil { split[place] = (condition.id, a, b) }
      }
    }
    guard !reference.isEmpty else { return nil }
    let confusion = try ConfusionMatrix(
      reference: reference, judged: judged, labels: ReplyClass.allCases.map(\.rawValue))
    // Replies that may be shown come first: a withheld one teaches nothing about the judges.
    let open = split.keys.filter { !builder.withholds(builder.sample($0)) }
    return ReportJudgePair(
      first: first.source, second: second.source,
      agreement: try agreement(reference, judged, groups), kappa: try confusion.kappa(), confusion: confusion,
      examples: picker.spread(open.sorted()).compactMap { place in
        split[place].map {
          ReportJudgePair.Disagreement(
            first: $0.first, second: $0.second, example: picker.example(place, conditions: [$0.condition]))
        }
      })
  }

  /// The share of replies on which they agree, over groups of prompts where there are any.
  private func agreement(
    _ reference: [String], _ judged: [String], _ groups: [String]
  ) throws -> BootstrapMean {
    let agree = zip(reference, judged).map { $0 == $1 }
    let independent = try WilsonInterval.of(successes: agree.count { $0 }, trials: agree.count)
    guard builder.options.group != nil else { return BootstrapMean(independent) }
    if let grouped = try GroupedInterval.rate(agree, groups: groups) { return BootstrapMean(grouped) }
    var none = BootstrapMean(independent)
    none.low = nil
    none.high = nil
    return none
  }
}
