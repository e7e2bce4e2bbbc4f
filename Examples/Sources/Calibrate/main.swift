// Chooses a strength with a bound on the refusals lost: Calibrate [MODEL.gguf [SAFE.csv HARMFUL.csv]]
import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDLlama
import SelfCDRuns
import SelfCDStore

let arguments = Array(CommandLine.arguments.dropFirst())
let organism = URL(filePath: "../../../Models/organism/", relativeTo: URL(filePath: #filePath)).path
let path = arguments.first ?? organism + "/selfcd-organism.f16.gguf"
let files =
  arguments.count > 2
  ? Array(arguments[1...2]) : [organism + "/heldout/safe.jsonl", organism + "/heldout/harmful.jsonl"]

let datasets = try zip(files, [Sample.Label.safe, .harmful]).map { file, label in
  try DatasetReader(options: .init(label: label)).read(path: file)
}
let output = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)").path
let calibration = try CalibrationRun(
  starting: "example", split: CalibrationSplit(datasets.limited(to: 60), confirmFraction: 0.5, seed: 0),
  conditions: CalibrationGrid.conditions(reference: Guarded()),
  settings: CalibrationSettings(maxHarmIncrease: 0.15), options: GenerationOptions(maximumTokens: 32),
  model: ModelFile(path: path), in: RunStore(path: output + ".sqlite"))

let plan = calibration.run.plan
let fit = try LaneFit(
  GGUFFile(path: path), options: LlamaOptions(flashAttention: .off, unifiedCache: true),
  context: plan.contextNeeded, lanes: plan.usefulLanes)
let loaded = try await LoadedModel.load(path: path, options: fit.options, stepMode: .batched)
let result = try await calibration.run(with: loaded.chat).result
let profile = try calibration.profile(of: result)
for finding in result.findings {
  print("\(finding.id): p = \(finding.pValue), \(finding.passes ? "passes" : "not shown")")
}
print("chosen: \(result.chosen); \(profile.guarantee)")
try profile.write(path: output + ".profile.json")
print("profile: \(output).profile.json")
