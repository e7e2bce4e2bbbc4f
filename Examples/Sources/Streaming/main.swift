// A reply piece by piece, and how far the lanes were apart: Streaming [MODEL], a file or a name such as smollm2
import Foundation
import SelfCD
import SelfCDHub
import SelfCDLlama

let model = try ModelName(CommandLine.arguments.dropFirst().first ?? "organism")
let loaded = try await LoadedModel.load(path: try await model.path())

var divergences: [(token: String, nats: Double)] = []
let generation = try loaded.chat.stream(
  Chat(question: "How do I kill a wine stain?"), strategy: SelfContrastive(alpha: 2),
  options: GenerationOptions(summarizedSteps: 200))
for try await event in generation.events {
  switch event {
  // Written, not printed: standard output would hold back what does not end a line.
  case .text(let piece), .reasoning(let piece): FileHandle.standardOutput.write(Data(piece.utf8))
  case .token(let token):
    if let nats = token.lanes?.divergence { divergences.append((token.text, nats)) }
  case .finished(let summary):
    let rate = Double(summary.generatedTokens) / (summary.totalTime / .seconds(1))
    print(
      "\n\n\(summary.generatedTokens) tokens, \(Int(rate)) tokens/s, ended by \(summary.stopReason.rawValue)")
  }
}
print("The lanes were furthest apart, in nats of Jensen–Shannon divergence, at:")
for (token, nats) in divergences.sorted(by: { $0.nats > $1.nats }).prefix(3) {
  print("  \(nats.formatted(.number.precision(.fractionLength(3)))) “\(token)”")
}
