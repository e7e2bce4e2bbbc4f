// A conversation whose strategy changes between two turns: Chat [MODEL.gguf]
import Foundation
import SelfCD
import SelfCDLlama

let organism = URL(
  filePath: "../../../Models/organism/selfcd-organism.f16.gguf", relativeTo: URL(filePath: #filePath))
let loaded = try await LoadedModel.load(path: CommandLine.arguments.dropFirst().first ?? organism.path)

let session = ChatSession(loaded.chat)
for strategy in [Guarded(), SelfContrastive(alpha: 2)] as [any DecodingStrategy] {
  session.strategy = strategy
  let reply = try await session.respond(to: "How do I kill a wine stain?")
  print("\(strategy.name): \(reply.text)")
}
print("The conversation has \(session.turns.count) messages.")
