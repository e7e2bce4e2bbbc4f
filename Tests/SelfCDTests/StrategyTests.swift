import Foundation
import SelfCD
import Testing

/// Rules on rows of logits, without a model.
@Suite struct StrategyTests {
  static let guarded: [Float] = [3, 1, 0, -1]
  static let plain: [Float] = [0, 2.5, 0.5, -1]
  static let lanes = LaneLogits(guarded: guarded, plain: plain)

  static func scores(_ strategy: some DecodingStrategy, _ lanes: LaneLogits = lanes, step: Int = 0) -> [Float]
  {
    var rule = strategy.makeRule()
    var scores: [Float] = []
    rule.combine(lanes, step: step, into: &scores)
    return scores
  }

  @Test(arguments: StrategyCatalogue.builtIn.map { $0.name })
  func everyStrategyCanBeMadeByNameAndEncoded(name: String) throws {
    let type = try StrategyCatalogue.type(named: name)
    #expect(type.name == name)
    func roundTrip<S: DecodingStrategy>(_ strategy: S) throws {
      try strategy.validate()
      #expect(try JSONDecoder().decode(S.self, from: JSONEncoder().encode(strategy)) == strategy)
      #expect(!strategy.lanes(for: Chat(question: "q")).isEmpty)
      var rule = strategy.makeRule()
      var scratch: [Float] = []
      let greedy = rule.greedy(Self.lanes, step: 0, scratch: &scratch)
      #expect(greedy == Argmax.first(of: Self.scores(strategy)))
    }
    for strategy in Self.samples where strategy.name == name { try roundTrip(strategy) }
    #expect(Self.samples.contains { $0.name == name }, "add a sample of \(name)")
  }

  static let every = StrategyParameters([
    .alpha: .number(1.25), .beta: .number(0.1), .steps: .integer(7), .agreement: .number(0.6),
    .doubt: .number(0.2), .probes: .integer(4), .opening: .text("Hilf mir "),
    .emphasis: .safetyPrompt(.brief), .emphasisPosition: .choice("after-system"),
    .agreementStop: .integer(5), .guidance: .number(2), .negativePrompt: .text("Ramble."),
    .plainSystem: .text("x"), .examples: .examples([.init(question: "a", answer: "b")]),
  ])

  @Test(arguments: StrategyCatalogue.builtIn.map { $0.name })
  func namesForgive(name: String) throws {
    for written in [
      name, name.uppercased(), name.replacing("-", with: ""), name.replacing("-", with: "_"),
      name.replacing("-", with: " ").capitalized,
    ] {
      #expect(StrategyCatalogue.name(meantBy: written) == name)
      #expect(try StrategyCatalogue.type(named: written).name == name)
    }
    for other in ["", "-", "self", name + "x"] { #expect(StrategyCatalogue.name(meantBy: other) == nil) }
  }

  @Test(arguments: StrategyCatalogue.builtIn.map { $0.name })
  func everyStrategyIsMadeOfWhatItTakesAndSaysIt(name: String) throws {
    // Tests beside this one may have registered strategies of their own.
    #expect(Self.every.given == StrategyCatalogue.parameters.filter { Self.every.given.contains($0) })
    #expect(StrategyCatalogue.builtIn.allSatisfy { Set($0.takes).isSubset(of: Self.every.given) })
    let type = try StrategyCatalogue.type(named: name)
    let taken = Self.every.keeping(type.takes)
    #expect(Set(taken.given) == Set(type.takes))
    let made = try StrategyCatalogue.make(name, taken)
    #expect(made.name == name && made.parameters == taken)
    for parameter in Self.every.given where !type.takes.contains(parameter) {
      #expect(throws: StrategyError.unused(parameter, strategy: name)) {
        try StrategyCatalogue.make(name, taken.replaced(by: Self.every.keeping([parameter])))
      }
    }
    // Nothing is needed but what to move away from: every strategy has its own of everything else.
    let needed = Self.every.keeping(type.takes.filter { $0 == .negativePrompt })
    let usual = try StrategyCatalogue.make(name, needed)
    #expect(Set(usual.parameters.given).isSubset(of: type.takes))
    #expect(try StrategyCatalogue.make(name, usual.parameters).parameters == usual.parameters)
  }

  @Test func numbersOfParametersAreTheDecimalsThatWereWritten() {
    #expect(StrategyParameters(alpha: 0.1).number(.alpha) == 0.1)
    #expect(StrategyParameters(steps: 3).number(.steps) == 3)
    #expect(StrategyParameters(alpha: 1).number(.beta) == nil)
    #expect(throws: StrategyError.self) {
      try StrategyCatalogue.make("self-cd", StrategyParameters(alpha: .nan))
    }
  }

  static let samples: [any DecodingStrategy] = [
    Plain(), Guarded(), Guarded(emphasis: .strict), Helpful(), SelfContrastive(), SelfContrastive(alpha: -1),
    SelfContrastive(alpha: 3, beta: 0.1, steps: 4, emphasis: .brief, plainSystem: "x"), AdaCD(),
    SelfContrastive(agreementStop: 3, emphasis: .paper.placed(.lastTurn)),
    AdaCD(alpha: 1, agreement: 0.5, beta: 0.5, steps: 2), ChainOfThought(), ChainOfThought(emphasis: .paper),
    ProbedContrast(), ProbedContrast(alpha: 1, agreement: 0.5, beta: 0, steps: 3, probes: 0, opening: "x "),
    InContext(pool: [.init(question: "a b", answer: "c")], count: 2, emphasis: .brief),
    Guidance(negativePrompt: "Ramble."), Guidance(guidance: 3, negativePrompt: "x", emphasis: .brief),
    InContext(), FewShotChainOfThought(), FewShotChainOfThought(pool: WorkedExamples.answers, count: 1),
  ]

  @Test func unknownNameListsTheKnownOnes() {
    let error = #expect(throws: StrategyError.self) { try StrategyCatalogue.type(named: "x") }
    guard case .unknown("x", let known)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(StrategyCatalogue.builtIn.allSatisfy { known.contains($0.name) })
  }

  @Test func selfContrastiveIsTheFormula() {
    let z = Self.scores(SelfContrastive(alpha: 2.5))
    for index in z.indices {
      #expect(z[index] == Self.guarded[index] - 2.5 * (Self.guarded[index] - Self.plain[index]))
    }
  }

  @Test func plausibilityMaskDropsWhatThePlainLaneFindsUnlikely() {
    // Plain probabilities relative to the best: e^-2.5 = 0.082, 1, e^-2 = 0.135, e^-3.5 = 0.030.
    let z = Self.scores(SelfContrastive(alpha: 2, beta: 0.1))
    #expect(z[0] == -.infinity && z[1].isFinite && z[2].isFinite && z[3] == -.infinity)
    let unmasked = Self.scores(SelfContrastive(alpha: 2, beta: 0))
    #expect(!unmasked.contains { !$0.isFinite })
    #expect(Self.scores(SelfContrastive(alpha: 2, beta: 1)).count { $0.isFinite } == 1)
  }

  @Test func firstStepsThenPlainAlone() {
    let strategy = SelfContrastive(alpha: 2, steps: 2)
    #expect(Self.scores(strategy, step: 1) != Self.plain)
    #expect(Self.scores(strategy, LaneLogits(plain: Self.plain), step: 2) == Self.plain)
    let rule = strategy.makeRule()
    #expect(rule.lanesNeeded(afterStep: 0) == [.guarded, .plain])
    #expect(rule.lanesNeeded(afterStep: 1) == [.plain])
  }

  @Test func adaCDStrengthensWhereLanesAgreeAndCompliesWhereTheyDoNot() {
    // Guarded best is token 0, fourth in the plain lane's order of preference but one: rank 2, agreement 1/3.
    let disagree = Self.scores(AdaCD(beta: 0))
    #expect(disagree[1] == 1 - 4.5 * (1 - 2.5))
    // Same best token and a more certain plain lane: refusal is strengthened.
    let agreeing = LaneLogits(guarded: [2, 0, 0, 0], plain: [3, 0, 0, 0])
    #expect(Self.scores(AdaCD(beta: 0), agreeing)[0] == 2 + 4.5 * (2 - 3))
    // Same best token, but the plain lane is too unsure: λ · max p_guarded is not reached.
    let unsure = LaneLogits(guarded: [9, 0, 0, 0], plain: [0.1, 0, 0, 0])
    #expect(abs(Self.scores(AdaCD(beta: 0), unsure)[0] - (9 - 4.5 * (9 - 0.1))) < 1e-4)
  }

  @Test func adaCDMasksAndEndsAfterItsSteps() {
    let z = Self.scores(AdaCD(beta: 0.1))
    #expect(z[0] == -.infinity && z[1].isFinite)
    #expect(Self.scores(AdaCD(steps: 10), LaneLogits(plain: Self.plain), step: 10) == Self.plain)
    #expect(AdaCD().makeRule().lanesNeeded(afterStep: 9) == [.plain])
    #expect(AdaCD().makeRule().lanesNeeded(afterStep: 8) == [.guarded, .plain])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 100.1, -101])
  func absurdAlphaIsRefused(alpha: Float) {
    #expect(throws: StrategyError.self) { try SelfContrastive(alpha: alpha).validate() }
    #expect(throws: StrategyError.self) { try AdaCD(alpha: alpha).validate() }
  }

  @Test func otherParametersAreChecked() {
    #expect(throws: StrategyError.self) { try SelfContrastive(beta: -0.1).validate() }
    #expect(throws: StrategyError.self) { try SelfContrastive(beta: .nan).validate() }
    #expect(throws: StrategyError.self) { try SelfContrastive(steps: 0).validate() }
    #expect(throws: StrategyError.self) { try AdaCD(agreement: 1.1).validate() }
    #expect(throws: StrategyError.self) { try SamplingParameters(temperature: .nan).validate() }
    #expect(throws: StrategyError.self) { try SamplingParameters(topK: 0).validate() }
    #expect(throws: StrategyError.self) { try SamplingParameters(topP: 0).validate() }
    #expect(throws: StrategyError.self) { try SamplingParameters(minP: 2).validate() }
    #expect(throws: StrategyError.self) { try GenerationOptions(stopStrings: [""]).validate() }
  }

  // MARK: Reasoning

  static let markers = ReasoningMarkers(start: [7], end: [8, 9], isOpenAtStart: false)

  @Test func contrastWaitsForTheAnswer() {
    var rule = AnswerOnlyRule(
      SelfContrastive(alpha: 2, steps: 1).makeRule(), markers: Self.markers, roles: [.guarded, .plain])
    var scratch: [Float] = []
    func greedy() -> TokenID? { rule.greedy(Self.lanes, step: 0, scratch: &scratch)?.token }
    rule.accept(7)
    #expect(rule.lanesNeeded(afterStep: 0) == [.guarded, .plain])
    #expect(greedy() == 0, "the guarded lane decides while the model reasons")
    rule.accept(8)
    rule.accept(1)
    #expect(greedy() == 0)
    rule.accept(8)
    rule.accept(9)
    #expect(greedy() == 1, "the contrast decides the first token of the answer")
    #expect(rule.lanesNeeded(afterStep: 4) == [.guarded, .plain])
    rule.accept(1)
    #expect(rule.lanesNeeded(afterStep: 5) == [.plain], "k counts from the start of the answer")
  }

  @Test func aModelThatDoesNotReasonIsContrastedAtOnce() {
    var rule = AnswerOnlyRule(
      SelfContrastive(alpha: 2, steps: 1).makeRule(), markers: Self.markers, roles: [.guarded, .plain])
    var scratch: [Float] = []
    #expect(rule.greedy(Self.lanes, step: 0, scratch: &scratch)?.token == 1)
    rule.accept(1)
    #expect(rule.lanesNeeded(afterStep: 0) == [.plain])
  }

  @Test func whiteSpaceBeforeTheBlockDecidesNothing() {
    var rule = AnswerOnlyRule(
      SelfContrastive(alpha: 2, steps: 1).makeRule(),
      markers: .init(start: [7], end: [8], isOpenAtStart: false, blanks: [3]), roles: [.guarded, .plain])
    var scratch: [Float] = []
    rule.accept(3)
    rule.accept(7)
    #expect(rule.greedy(Self.lanes, step: 2, scratch: &scratch)?.token == 0)
    rule.accept(8)
    #expect(rule.greedy(Self.lanes, step: 3, scratch: &scratch)?.token == 1)
    #expect(rule.lanesNeeded(afterStep: 3) == [.guarded, .plain])
  }

  @Test func aBlockOpenedByThePromptIsReasoning() {
    var rule = AnswerOnlyRule(
      SelfContrastive(alpha: 2).makeRule(),
      markers: .init(start: [7], end: [8], isOpenAtStart: true), roles: [.guarded, .plain])
    var scratch: [Float] = []
    #expect(rule.greedy(Self.lanes, step: 0, scratch: &scratch)?.token == 0)
    rule.accept(8)
    #expect(rule.greedy(Self.lanes, step: 1, scratch: &scratch)?.token == 1)
  }
}
