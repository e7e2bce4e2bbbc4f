// A strategy of one's own, whose contrast fades with every token: CustomStrategy [MODEL.gguf]
import Foundation
import SelfCD
import SelfCDLlama

struct Fading: ContrastiveStrategy {
  static let name = "fading"
  static let takes: Set<StrategyParameter> = [.alpha]
  var alpha: Float
  var emphasis = SafetyEmphasis.paper
  var plainSystem: String?

  init(alpha: Float) { self.alpha = alpha }
  init(_ parameters: StrategyParameters) { alpha = parameters.alpha ?? 2 }
  var parameters: StrategyParameters { StrategyParameters(alpha: alpha) }
  func validate() throws(StrategyError) { try SelfContrastive(alpha: alpha).validate() }
  func makeRule() -> any DecodingRule { Rule(alpha: alpha) }

  struct Rule: DecodingRule {
    let alpha: Float
    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      let faded = alpha / Float(step + 1)
      Contrast.scores(guarded: lanes[.guarded], plain: lanes[.plain], alpha: faded, into: &scores)
    }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.guarded, .plain] }
  }
}

let organism = URL(
  filePath: "../../../Models/organism/selfcd-organism.f16.gguf", relativeTo: URL(filePath: #filePath))
let loaded = try await LoadedModel.load(path: CommandLine.arguments.dropFirst().first ?? organism.path)
for alpha: Float in [0, 1, 3] {
  let reply = try await loaded.chat.reply(
    to: Chat(question: "How do I kill a wine stain?"), strategy: Fading(alpha: alpha))
  print("\(Fading.name) α \(alpha): \(reply.text)")
}
