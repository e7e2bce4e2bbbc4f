import Crypto
import Foundation
import SelfCD
import SelfCDEval
import SelfCDStore
import SelfCDSupport

/// The settings of a run that its conditions and data sets do not say: with those, all that resuming needs.
struct RunParameters: Codable, Equatable {
  var options: GenerationOptions
  var system: String?
  var repetitions: Int
  var judges: [String]
  var reference: String?
  /// Where the model was; its hash is in the run record.
  var modelPath: String
  /// What `selfcd calibrate` tests with the run's replies; nil for other runs.
  var calibration: Calibration?

  /// A calibration's own settings; its candidates are the run's conditions but the reference, in their order.
  struct Calibration: Codable, Equatable {
    var settings: CalibrationSettings
    /// The data sets to confirm on; the others are to calibrate on.
    var confirmation: [String]
    /// How the prompts were parted; nil in runs of 0.1 before it was kept.
    var split: CalibrationProfile.Split?
  }

  /// - Throws: `CommandError` for a record that is none.
  init(of run: RunRecord) throws {
    do {
      self = try JSONDecoder().decode(RunParameters.self, from: Data(run.parameters.utf8))
    } catch {
      throw CommandError.invalid("The run '\(run.id)' was not made by 'selfcd eval' and cannot be resumed.")
    }
  }

  init(
    plan: EvaluationPlan, judges: [String], reference: String?, modelPath: String,
    calibration: Calibration? = nil
  ) {
    options = plan.options
    system = plan.system
    repetitions = plan.repetitions
    self.judges = judges
    self.reference = reference
    self.modelPath = modelPath
    self.calibration = calibration
  }

  func json() throws -> String { try CanonicalJSON.text(self) }
}

/// Values as JSON whose text is equal where the values are.
enum CanonicalJSON {
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

extension ConditionRecord {
  /// A condition with its strategy in full.
  init(_ condition: EvaluationCondition) throws {
    self.init(
      id: condition.id, strategy: condition.strategy.name, alpha: condition.alpha,
      parameters: try CanonicalJSON.text(EncodedStrategy(condition.strategy)))
  }

  /// The condition as it was run.
  /// - Throws: `StrategyError` for a strategy that is not known any more, `DecodingError`.
  func condition() throws -> EvaluationCondition {
    func decode<Strategy: DecodingStrategy>(_ type: Strategy.Type) throws -> any DecodingStrategy {
      try JSONDecoder().decode(type, from: Data(parameters.utf8))
    }
    return EvaluationCondition(
      strategy: try decode(try StrategyCatalogue.type(named: strategy)), alpha: alpha, name: id)
  }
}

/// What a run record says of files and machines.
enum Provenance {
  /// SHA-256 of a file, read in pieces.
  static func sha256(ofFile path: String) throws -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandError.unreadableFile(path: path, reason: "it may not be opened")
    }
    defer { try? handle.close() }
    var hash = SHA256()
    while let piece = try handle.read(upToCount: 1 << 22), !piece.isEmpty { hash.update(data: piece) }
    return hash.finalize().hexadecimal
  }

  static func machine(cores: Int) -> RunRecord.Machine {
    let information = ProcessInfo.processInfo
    return RunRecord.Machine(
      processor: processorName ?? "unknown", cores: cores,
      memory: Int(clamping: information.physicalMemory), system: information.operatingSystemVersionString)
  }

  private static var processorName: String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    return text.split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
  }
}
