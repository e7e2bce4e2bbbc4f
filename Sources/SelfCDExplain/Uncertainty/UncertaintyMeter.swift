import SelfCD
import SelfCDJudges

/// Measures how sure a model is: along its greedy reply, and over replies that are drawn.
public struct UncertaintyMeter: Sendable {
  /// Who is asked.
  public var probe: RefusalProbe
  /// Says which replies refuse.
  public var judge: any ReplyJudge
  /// The first steps that are looked at.
  public var steps: Int
  /// Replies that are drawn; 0 draws none.
  public var samples: Int
  /// Their temperature.
  public var temperature: Float
  /// The seed they are derived from.
  public var seed: UInt64
  /// The longest reply, in tokens.
  public var maximumTokens: Int

  /// Makes a meter.
  public init(
    probe: RefusalProbe, judge: any ReplyJudge, steps: Int = 6, samples: Int = 0, temperature: Float = 1,
    seed: UInt64 = 0, maximumTokens: Int = 48
  ) {
    self.probe = probe
    self.judge = judge
    self.steps = steps
    self.samples = samples
    self.temperature = temperature
    self.seed = seed
    self.maximumTokens = maximumTokens
  }

  /// Measures every view.
  /// - Parameter vocabulary: What tokens say.
  /// - Throws: ``ExplanationError/readsCopies(strategy:)``; what the template, the engine, the judge or a statistic throws.
  public func measure(_ chat: Chat, vocabulary: any Vocabulary) async throws -> [RefusalUncertainty] {
    try RefusalProbe.check(probe.views)
    var result: [RefusalUncertainty] = []
    for view in probe.views {
      result.append(try await measure(chat, view: view, vocabulary: vocabulary))
    }
    return result
  }

  private func measure(
    _ chat: Chat, view: RefusalProbe.View, vocabulary: any Vocabulary
  ) async throws -> RefusalUncertainty {
    let request = try probe.model.request(
      chat, strategy: view.strategy, options: GenerationOptions(maximumTokens: maximumTokens))
    let reply = try await probe.model.engine.generate(request).reply()
    let verdict = try await judge.judge(prompt: chat.lastQuestion, reply: reply.text)
    // The last token's own row is not needed.
    let chosen = reply.tokens.prefix(max(1, steps)).map(\.id)
    let path = TokenTree([Array(chosen.dropLast())])
    let rows = try await probe.model.engine.probe(
      [Probe(prompts: request.prompts, rule: request.rule)], beginnings: path
    ) { _, rows in
      rows.map { row in
        let hasBoth = row.lanes.contains(.guarded) && row.lanes.contains(.plain)
        return (
          entropy: Sharpness.entropy(row.scores), margin: Sharpness.margin(row.scores),
          divergence: hasBoth
            ? JensenShannon.divergence(row.lanes[.guarded], row.lanes[.plain]) : nil
        )
      }
    }
    let refusals = try await refusals(along: chosen, request)
    let measured = rows.first ?? []
    return RefusalUncertainty(
      view: view.name,
      steps: zip(chosen.indices, measured).map { index, row in
        RefusalUncertainty.Step(
          token: chosen[index], text: String(decoding: vocabulary.bytes(of: chosen[index]), as: UTF8.self),
          entropy: row.entropy, margin: row.margin, refusal: refusals[index], divergence: row.divergence)
      },
      reply: reply.text, replyClass: verdict.replyClass,
      samples: samples > 0 ? try await draw(chat, view: view, request) : nil)
  }

  /// How likely a refusal is before each of `tokens` is chosen, as long as they are within the learned beginnings.
  private func refusals(along tokens: [TokenID], _ request: GenerationRequest) async throws -> [Double?] {
    let beginnings = probe.beginnings
    let rows = try await probe.model.engine.probe(
      [Probe(prompts: request.prompts, rule: request.rule)], beginnings: beginnings.tree
    ) { _, rows in
      tokens.indices.map {
        beginnings.probability(rows.map(\.scores), after: Array(tokens.prefix($0)))
      }
    }
    return rows.first ?? []
  }

  private func draw(
    _ chat: Chat, view: RefusalProbe.View, _ request: GenerationRequest
  ) async throws -> RefusalUncertainty.Samples {
    var classes: [ReplyClass] = []
    var generator = SplitMix64(seed: seed)
    let lanes = await probe.model.engine.capacity?.lanes ?? 1
    // Requests wait their turn, but not all of a large number have to be in flight.
    for start in stride(from: 0, to: samples, by: lanes) {
      let requests = (start..<min(start + lanes, samples)).map { _ in
        var request = request
        request.options.sampling = SamplingParameters(temperature: temperature, seed: generator.next())
        return request
      }
      for handle in probe.model.engine.generate(requests) {
        let reply = try await handle.reply()
        classes.append(try await judge.judge(prompt: chat.lastQuestion, reply: reply.text).replyClass)
      }
    }
    let counts = ReplyClass.allCases.map { kind in
      RefusalUncertainty.ClassCount(replyClass: kind, count: classes.count { $0 == kind })
    }.filter { $0.count > 0 }
    return RefusalUncertainty.Samples(
      n: classes.count, temperature: Double(temperature), seed: seed, refusals: try RefusalRate(classes),
      classes: counts, semanticEntropy: Sharpness.entropy(ofCounts: counts.map(\.count)))
  }
}
