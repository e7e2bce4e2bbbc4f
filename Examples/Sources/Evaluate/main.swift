// How often strategies refuse harmless and harmful prompts: Evaluate [MODEL.gguf [PROMPTS.csv]]
import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDLlama
import SelfCDReport
import SelfCDRuns
import SelfCDStore

let arguments = Array(CommandLine.arguments.dropFirst())
let organism = URL(
  filePath: "../../../Models/organism/selfcd-organism.f16.gguf", relativeTo: URL(filePath: #filePath))
let path = arguments.first ?? organism.path
let loaded = try await LoadedModel.load(path: path, options: LlamaOptions(lanes: 8, flashAttention: .off))

let bundled = try BundledBenchmark().datasets([.pairs]).limited(to: 20)
let plan = EvaluationPlan(
  datasets: arguments.count > 1 ? [try DatasetReader().read(path: arguments[1])] : bundled,
  conditions: [
    .init(strategy: Plain()), .init(strategy: Guarded()), .init(strategy: SelfContrastive(alpha: 1.5)),
  ])

let files = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)")
let store = try RunStore(path: files.appendingPathExtension("sqlite").path)
let run = try EvaluationRun(starting: "example", plan: plan, model: ModelFile(path: path), in: store)
try await run.run(with: loaded.chat)
for row in try StoredEvaluation(runID: run.id, in: store).summary.rows {
  let what = row.set == .harmful ? "refuses" : "leaves unanswered"
  print("\(row.condition) \(what) of the \(row.set.rawValue) prompts \(row.headline)")
}

let report = files.appendingPathExtension("html")
try HTMLReport.render(ReportData(runs: [try ReportRun(id: run.id, in: store)]))
  .write(to: report, atomically: true, encoding: .utf8)
print("report: \(report.path)")
