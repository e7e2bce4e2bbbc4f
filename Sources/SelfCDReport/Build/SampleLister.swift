import SelfCDData

/// Lists every prompt of a run that has a reply.
struct SampleLister {
  let builder: ReportBuilder
  let judge: ReportBuilder.JudgeVersion

  /// In the order of the sets; nil where the options ask for none. Texts that are withheld are left out here and never
  /// reach a renderer.
  var samples: [ReportSample]? {
    guard builder.options.samples != .none else { return nil }
    return builder.datasets.indices.flatMap { set in
      builder.datasets[set].samples.indices.compactMap { sample(ReportBuilder.Place(set: set, index: $0)) }
    }
  }

  private func sample(_ place: ReportBuilder.Place) -> ReportSample? {
    let sample = builder.sample(place)
    let showsText = !builder.withholds(sample)
    let replies = builder.conditions.compactMap { condition -> ReportReplyText? in
      guard let observation = builder.observations[condition.id]?[place] else { return nil }
      return ReportReplyText(
        condition: condition.id, text: showsText ? observation.text : nil,
        isCut: showsText && observation.isCut, replyClass: observation.classes[judge])
    }
    guard !replies.isEmpty else { return nil }
    let (prompt, isCut) = builder.shortened(sample.transcript)
    return ReportSample(
      set: builder.datasets[place.set].name, sample: sample.id, label: sample.label,
      category: sample.category, focus: showsText ? sample.focus : nil,
      prompt: showsText ? (isCut ? prompt + "…" : prompt) : nil, replies: replies)
  }
}
