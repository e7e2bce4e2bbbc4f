import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDOrganism
import SelfCDRuns
import SelfCDStore
import SelfCDTesting
import Testing

/// A calibration as a Swift program makes it.
@Suite struct CalibrationRunTests {
  private static func dataset(_ label: Sample.Label) -> Dataset {
    Dataset(
      name: label.rawValue, sha256: label.rawValue, format: "list",
      samples: (1...8).map { number in
        Sample(
          id: "\(number)", content: .text("\(label.rawValue) prompt \(number)"), label: label,
          labelOrigin: .caller, position: .line(number))
      })
  }

  private static let sets = [dataset(.safe), dataset(.harmful)]
  private static let conditions = CalibrationGrid.conditions(reference: Guarded(emphasis: .brief))

  private static func withStore(_ body: (RunStore) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)").path
    defer {
      for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
    try await body(try RunStore(path: path))
  }

  private static func begin(
    _ split: CalibrationSplit, _ conditions: [EvaluationCondition] = CalibrationRunTests.conditions,
    stages: CalibrationSettings.StageCount = .two, in store: RunStore
  ) throws -> CalibrationRun {
    try CalibrationRun(
      starting: "mine", split: split, conditions: conditions,
      settings: CalibrationSettings(maxHarmIncrease: 0.3, stages: stages),
      options: GenerationOptions(maximumTokens: 4), model: ModelFile(path: Organism.biased.path()), in: store)
  }

  @Test func itIsStoredWithAllThatResumingTakes() async throws {
    try await Self.withStore { store in
      let split = try CalibrationSplit(Self.sets, confirmFraction: 0.5, seed: 3)
      let calibration = try Self.begin(split, in: store)
      #expect(calibration.reference == "guarded" && calibration.split == split.origin)
      #expect(calibration.candidates.map(\.id) == Self.conditions.dropFirst().map(\.id))
      let plan = try calibration.plan()
      #expect(plan.calibration.harmful == 4 && plan.confirmation?.harmful == 4 && !plan.isReachable)
      let resumed = try CalibrationRun(
        EvaluationRun(
          resuming: try store.run(id: "mine"), model: ModelFile(path: Organism.biased.path()), in: store))
      #expect(resumed.settings == calibration.settings && resumed.candidates == calibration.candidates)
      #expect(resumed.split == split.origin)
    }
  }

  @Test func fourRefusalsShowNothing() async throws {
    try await Self.withStore { store in
      let split = try CalibrationSplit(Self.sets, confirmFraction: 0.5, seed: 3)
      let calibration = try Self.begin(split, in: store)
      let engine = try await Engine.start(stepMode: .batched) { abort in
        HistoryBackend(capacity: .init(lanes: 8, context: 512, batch: 64), abort: abort)
      }
      let outcome = try await calibration.run(with: ChatModel(engine: engine, renderer: ByteRenderer()))
      let profile = try calibration.profile(of: outcome.result)
      #expect(outcome.stoppedBecause != nil && !profile.isCalibrated)
      #expect(profile.chosen == StrategySetting(Guarded(emphasis: .brief)) && profile.split == split.origin)
      #expect(profile.generation.options.maximumTokens == 4)
    }
  }

  @Test func whatDoesNotFitTogetherIsAnError() async throws {
    try await Self.withStore { store in
      let split = try CalibrationSplit(Self.sets, confirmFraction: 0.5, seed: 0)
      let whole = CalibrationSplit(calibration: Self.sets, confirmation: [])
      #expect(throws: RunError.noCandidate) {
        try Self.begin(split, Array(Self.conditions.prefix(1)), in: store)
      }
      #expect(throws: RunError.otherStages(.single)) { try Self.begin(split, stages: .single, in: store) }
      #expect(throws: RunError.otherStages(.two)) { try Self.begin(whole, in: store) }
      #expect(try store.runs().isEmpty)
      #expect(try Self.begin(whole, stages: .single, in: store).plan().confirmation == nil)
    }
  }
}
