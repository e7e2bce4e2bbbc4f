/// Chooses which replies are shown, always the same ones for the same run.
struct ExamplePicker {
  let builder: ReportBuilder
  let judge: ReportBuilder.JudgeVersion
  /// The conditions shown side by side.
  let shown: [String]

  typealias Place = ReportBuilder.Place

  /// The four ways a reply can change sides. A reply that is none has no side.
  func flips(from baseline: String, to featured: String) -> [ReportFlips] {
    let before = builder.classes(of: baseline, by: judge)
    let after = builder.classes(of: featured, by: judge)
    return ReportFlips.Kind.allCases.compactMap { kind in
      let places = before.keys.filter { place in
        guard builder.sample(place).label == kind.label, let old = before[place], let new = after[place]
        else { return false }
        guard old != .degenerate, new != .degenerate else { return false }
        return old.isRefusal == kind.wasRefused && new.isRefusal != kind.wasRefused
      }.sorted()
      guard before.keys.contains(where: { builder.sample($0).label == kind.label }) else { return nil }
      return ReportFlips(
        kind: kind, total: places.count,
        examples: spread(places).map { example($0, conditions: shown) })
    }
  }

  /// As many as are shown, one of each category before a second of any.
  func spread(_ places: [Place]) -> [Place] {
    var queues: [[Place]] = []
    var indices: [String: Int] = [:]
    for place in places {
      let category = builder.sample(place).category ?? ""
      if let index = indices[category] {
        queues[index].append(place)
      } else {
        indices[category] = queues.count
        queues.append([place])
      }
    }
    var result: [Place] = []
    var round = 0
    while result.count < builder.options.examples, queues.contains(where: { $0.count > round }) {
      for queue in queues where queue.count > round && result.count < builder.options.examples {
        result.append(queue[round])
      }
      round += 1
    }
    return result.sorted()
  }

  /// A prompt with its replies; texts that are withheld are left out here and never reach a renderer.
  func example(_ place: Place, conditions: [String]) -> ReportExample {
    let sample = builder.sample(place)
    let isWithheld = builder.withholds(sample)
    let (prompt, isCut) = builder.shortened(sample.prompt)
    return ReportExample(
      set: builder.datasets[place.set].name, sample: sample.id, category: sample.category,
      focus: sample.focus,
      prompt: isCut ? prompt + "…" : prompt,
      replies: conditions.compactMap { condition in
        guard let observation = builder.observations[condition]?[place] else { return nil }
        return ReportReplyText(
          condition: condition, text: isWithheld ? nil : observation.text,
          isCut: !isWithheld && observation.isCut, replyClass: observation.classes[judge])
      })
  }
}
