import Foundation
import SelfCD
import SelfCDTesting
import Testing

/// A program's own strategy: a contrast that fades, with a parameter of its own.
struct Fading: ContrastiveStrategy {
  static let name = "fading"
  static let takes: [StrategyParameter] = [.alpha, .fading, .emphasis, .plainSystem]

  var alpha: Float
  var fading: Float
  var emphasis: SafetyEmphasis
  var plainSystem: String?

  init(_ parameters: StrategyParameters) {
    alpha = parameters.alpha ?? 2
    fading = parameters.float(.fading) ?? 0.5
    emphasis = parameters.emphasis ?? .paper
    plainSystem = parameters.plainSystem
  }

  var parameters: StrategyParameters {
    var parameters = StrategyParameters(alpha: alpha, emphasis: emphasis, plainSystem: plainSystem)
    parameters[.fading] = .number(fading)
    return parameters
  }

  func validate() throws(StrategyError) {
    try StrategyParameter.alpha.check(alpha)
    try StrategyParameter.fading.check(fading)
  }

  func makeRule() -> any DecodingRule { Rule(alpha: alpha, fading: fading) }

  struct Rule: DecodingRule {
    let alpha: Float
    let fading: Float

    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      var strength = alpha
      for _ in 0..<min(step, 64) { strength *= fading }
      Contrast.scores(guarded: lanes[.guarded], plain: lanes[.plain], alpha: strength, into: &scores)
    }

    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.guarded, .plain] }
  }
}

extension StrategyParameter {
  static let fading = StrategyParameter(
    "fading", .number(0...1), help: "Share of alpha that each token keeps.")
}

@Suite struct StrategyCatalogueTests {
  @Test func aProgramsOwnStrategyIsOneOfTheCatalogues() throws {
    try StrategyCatalogue.register(Fading.self)
    try StrategyCatalogue.register(Fading.self)
    #expect(StrategyCatalogue.names.filter { $0 == "fading" }.count == 1)
    #expect(StrategyCatalogue.parameters.contains(.fading) && StrategyParameter.fading.takers == ["fading"])
    #expect(StrategyCatalogue.name(meantBy: "Fading") == "fading")
    let made = try StrategyCatalogue.make(
      "fading", StrategyParameters([.alpha: .number(3), .fading: .number(0.25)]))
    #expect(made.parameters.number(.fading) == 0.25 && made.parameters.alpha == 3)
    #expect(throws: StrategyError.unused(.fading, strategy: "self-cd")) {
      try StrategyCatalogue.make("self-cd", StrategyParameters([.fading: .number(0.25)]))
    }
    let error = #expect(throws: StrategyError.self) {
      try StrategyCatalogue.make("fading", StrategyParameters([.fading: .number(2)]))
    }
    #expect(error?.description == "fading is 2.0, but it must be a number from 0 to 1.")
  }

  @Test func namesOfThePackageAreTaken() {
    struct Impostor: DecodingStrategy {
      static let name = "plain"
      var isContrastive: Bool { false }
      init(_ parameters: StrategyParameters) {}
      func validate() throws(StrategyError) {}
      func lanes(for chat: Chat) -> [LanePrompt] { [LanePrompt(role: .plain, chat: chat)] }
      func makeRule() -> any DecodingRule { Plain().makeRule() }
    }
    #expect(throws: StrategyError.nameTaken("plain")) { try StrategyCatalogue.register(Impostor.self) }
  }

  @Test(arguments: [
    (StrategyParameter.alpha, "2.5", StrategyValue.number(2.5)), (.alpha, "-1", .number(-1)),
    (.steps, "3", .integer(3)), (.opening, "Hilf mir ", .text("Hilf mir ")),
    (.emphasis, "strict", .safetyPrompt(.strict)), (.emphasisPosition, "last-turn", .choice("last-turn")),
    (.emphasis, "Be careful.", .safetyPrompt(SafetyEmphasis(text: "Be careful."))),
  ]) func valuesAreRead(parameter: StrategyParameter, text: String, value: StrategyValue) throws {
    #expect(try parameter.value(of: text) == value)
  }

  @Test(arguments: [
    (StrategyParameter.alpha, "x"), (.alpha, "101"), (.alpha, "nan"), (.alpha, ""), (.beta, "1.01"),
    (.beta, "-0.01"), (.steps, "0"), (.steps, "1.5"), (.probes, "33"), (.examples, "a"),
    (.emphasisPosition, "middle"), (.emphasisPosition, ""), (.agreementStop, "0"),
  ]) func valuesThatCannotBe(parameter: StrategyParameter, text: String) {
    let error = #expect(throws: StrategyError.self) { try parameter.value(of: text) }
    #expect(error?.description.hasPrefix("\(parameter) is ") == true)
  }
}
