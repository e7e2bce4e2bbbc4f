import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDOrganism
import SelfCDRuns
import SelfCDStore
import SelfCDTesting
import Testing

/// A tuning as a Swift program makes it, on a model without weights.
@Suite struct TuningRunTests {
  private static func dataset(_ label: Sample.Label) -> Dataset {
    Dataset(
      name: label.rawValue, sha256: label.rawValue, format: "list",
      samples: (1...8).map { number in
        Sample(
          id: "\(number)", content: .text("\(label.rawValue) prompt \(number)"), label: label,
          labelOrigin: .caller, position: .line(number))
      })
  }

  private static func withStore(_ body: (RunStore) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)").path
    defer {
      for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
    try await body(try RunStore(path: path))
  }

  private static func grid(_ count: Int) -> [EvaluationCondition] {
    Array(CalibrationGrid.conditions(reference: Plain(), emphasis: .brief).dropFirst().prefix(count))
  }

  private static func begin(
    _ name: String? = nil, tokens: Int = 4, stages: CalibrationSettings.StageCount = .two,
    candidates: Int = 7, in store: RunStore
  ) throws -> TuningRun {
    try TuningRun(
      named: name,
      split: CalibrationSplit([dataset(.safe), dataset(.harmful)], confirmFraction: 0.5, seed: 3),
      reference: EvaluationCondition(strategy: Plain()),
      comparison: EvaluationCondition(strategy: Guarded(emphasis: .brief)),
      candidates: grid(candidates),
      settings: CalibrationSettings(maxHarmIncrease: 0.3, stages: stages),
      options: GenerationOptions(maximumTokens: tokens), model: ModelFile(path: Organism.biased.path()),
      in: store)
  }

  private static func model() async throws -> ChatModel {
    let engine = try await Engine.start(stepMode: .batched) { abort in
      HistoryBackend(capacity: .init(lanes: 16, context: 512, batch: 64), abort: abort)
    }
    return ChatModel(engine: engine, renderer: ByteRenderer())
  }

  @Test func theSameInputsAreTheSameRun() async throws {
    try await Self.withStore { store in
      let first = try Self.begin(in: store)
      #expect(!first.isResumed && first.run.id.hasPrefix("tune-"))
      // The reference and the condition beside it; candidates only once there is time for them.
      #expect(try store.conditions(runID: first.run.id).map(\.id) == ["plain", "guarded"])
      #expect(first.largestPlan.conditions.count == 9 && first.largestPlan.widestCondition == 2)
      let again = try Self.begin(in: store)
      #expect(again.isResumed && again.run.id == first.run.id)
      let other = try Self.begin(tokens: 5, in: store)
      #expect(!other.isResumed && other.run.id != first.run.id)
      #expect(throws: RunError.nameTaken(run: first.run.id)) {
        try Self.begin(first.run.id, tokens: 5, in: store)
      }
      #expect(try store.runs().count == 2)
      // A calibration of it has no candidate yet, and what is measured beside the reference is none.
      let calibration = try CalibrationRun(first.run)
      #expect(calibration.candidates.isEmpty && calibration.comparisons == ["guarded"])
    }
  }

  @Test func whatDoesNotFitTogetherIsAnError() async throws {
    try await Self.withStore { store in
      #expect(throws: RunError.noCandidate) { try Self.begin(candidates: 0, in: store) }
      #expect(throws: RunError.otherStages(.single)) { try Self.begin(stages: .single, in: store) }
      let runs = try store.runs()
      #expect(runs.isEmpty)
    }
  }

  /// Four harmful prompts in each part show nothing, so that no candidate is asked; the time was decided on before.
  @Test func whatWasDecidedStays() async throws {
    try await Self.withStore { store in
      let tuning = try Self.begin(in: store)
      let model = try await Self.model()
      let outcome = try await tuning.run(with: model, budget: .seconds(3600))
      let profile = try outcome.profile()
      #expect(outcome.outcome.stoppedBecause != nil && !profile.isCalibrated)
      #expect(profile.chosen == StrategySetting(Plain()) && profile.candidates.isEmpty)
      #expect(outcome.baseRates.map(\.condition) == ["plain", "guarded"])
      for rate in outcome.baseRates { #expect(rate.counts.harmless == 4 && rate.counts.harmful == 4) }
      let asked = Set(try store.keys(runID: tuning.run.id).map(\.condition))
      #expect(asked == ["plain", "guarded"])
      let again = try Self.begin(in: store)
      let known = try again.decision()
      #expect(known == outcome.decision)
      let replies = try store.replyCount(runID: tuning.run.id)
      let second = try await again.run(with: model)
      let after = try store.replyCount(runID: tuning.run.id)
      #expect(after == replies && second.baseRates == outcome.baseRates)
      #expect(second.decision == outcome.decision)
      // Whether these replies leave anything to reduce, their bytes say; if so, all candidates were taken, and stay.
      guard let known else { return }
      #expect(known.leftOut.isEmpty && known.budgetSeconds == 3600)
      await #expect(throws: RunError.otherBudget(run: tuning.run.id, own: 3600, given: 60)) {
        try await again.run(with: model, budget: .seconds(60))
      }
    }
  }

  @Test func aTimeThatIsTooShortEndsBeforeAnyCandidate() async throws {
    try await Self.withStore { store in
      let tuning = try Self.begin(in: store)
      let model = try await Self.model()
      await #expect(throws: RunError.self) { try await tuning.run(with: model, budget: .nanoseconds(1)) }
      #expect(try tuning.decision() == nil)
      let stored = try store.replyCount(runID: tuning.run.id)
      #expect(stored == 8, "the first replies of both conditions are kept")
      // With more time the same run goes on.
      let outcome = try await Self.begin(in: store).run(with: model, budget: .seconds(3600))
      #expect(outcome.calibration.run.id == tuning.run.id)
    }
  }
}
