// A strategy of one's own, whose contrast fades, with a parameter of its own: CustomStrategy [MODEL.gguf]
import Foundation
import SelfCD
import SelfCDLlama

extension StrategyParameter {
  static let fading = StrategyParameter("fading", .number(0...1), help: "Share of α a token keeps.")
}

struct Fading: ContrastiveStrategy {
  static let name = "fading"
  static let takes: [StrategyParameter] = [.alpha, .fading]
  var alpha, fading: Float
  var emphasis = SafetyEmphasis.paper
  var plainSystem: String?

  init(_ given: StrategyParameters) { (alpha, fading) = (given.alpha ?? 2, given.float(.fading) ?? 0.5) }
  var parameters: StrategyParameters { .init([.alpha: .number(alpha), .fading: .number(fading)]) }
  func validate() throws(StrategyError) { try StrategyParameter.fading.check(fading) }
  func makeRule() -> any DecodingRule { Rule(alpha: alpha, fading: fading) }

  struct Rule: DecodingRule {
    let alpha, fading: Float
    func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      let alpha = alpha * Float(pow(Double(fading), Double(step)))
      Contrast.scores(guarded: lanes[.guarded], plain: lanes[.plain], alpha: alpha, into: &scores)
    }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.guarded, .plain] }
  }
}

try StrategyCatalogue.register(Fading.self)
let strategy = try StrategyCatalogue.make("fading", .init([.alpha: .number(3), .fading: .number(0.8)]))
let organism = URL(
  filePath: "../../../Models/organism/selfcd-organism.f16.gguf", relativeTo: URL(filePath: #filePath))
let loaded = try await LoadedModel.load(path: CommandLine.arguments.dropFirst().first ?? organism.path)
let reply = try await loaded.chat.reply(to: Chat(question: "How do I kill a wine stain?"), strategy: strategy)
print("fading α 3: \(reply.text)")
