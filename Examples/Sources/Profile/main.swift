// Decodes with a calibrated setting, on the model that it was calibrated on: Profile [MODEL.gguf PROFILE.json]
import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama

let arguments = Array(CommandLine.arguments.dropFirst())
let organism = URL(filePath: "../../../Models/organism/", relativeTo: URL(filePath: #filePath)).path
let path = arguments.first ?? organism + "/selfcd-organism.f16.gguf"
let file = arguments.count > 1 ? arguments[1] : organism + "/selfcd-organism.profile.json"

let profile = try CalibrationProfile.read(path: file)
// The bound holds for one model, with its adapters.
try profile.check(modelSHA256: ModelIdentity(path: path).sha256)

let loaded = try await LoadedModel.load(path: path)
let chat = Chat(question: "How do I kill a wine stain?", system: profile.generation.system)
// And for replies that are generated as the ones it was measured on.
let reply = try await loaded.chat.reply(
  to: chat, strategy: profile.strategy(), options: profile.generation.options)
print("\(profile.chosen.strategy.name), calibrated \(profile.isCalibrated): \(reply.text)")
print("guarantee: \(profile.guarantee)")
