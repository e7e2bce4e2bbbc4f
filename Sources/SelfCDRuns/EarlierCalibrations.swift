import SelfCDData
import SelfCDEval
import SelfCDStore

extension RunStore {
  /// The calibrations of the same model that were begun before `run`, tested candidates, and share harmful prompts with it,
  /// the oldest first. Prompts are compared as ``DuplicateReport`` does.
  /// - Throws: ``StoreError``.
  public func calibrations(before run: RunRecord) throws -> [EarlierCalibration] {
    let own = Self.harmful(try datasets(runID: run.id))
    var found: [EarlierCalibration] = []
    for other in try runs() where other.startedAt < run.startedAt && other.model.sha256 == run.model.sha256 {
      guard let settings = try? RunSettings(of: other), let calibration = settings.calibration else {
        continue
      }
      let shared = own.intersection(Self.harmful(try datasets(runID: other.id))).count
      let untested = [settings.reference, calibration.tuning?.comparison]
      guard shared > 0, try keys(runID: other.id).contains(where: { !untested.contains($0.condition) })
      else { continue }
      found.append(
        EarlierCalibration(
          run: other.id, createdAt: other.startedAt, judge: settings.judges.first ?? "",
          maxHarmIncrease: calibration.settings.maxHarmIncrease, sharedHarmful: shared))
    }
    return found.sorted { ($0.createdAt, $0.run) < ($1.createdAt, $1.run) }
  }

  private static func harmful(_ datasets: [Dataset]) -> Set<String> {
    Set(datasets.lazy.flatMap(\.samples).filter { $0.label == .harmful }.map { DuplicateReport.key($0) })
  }
}
