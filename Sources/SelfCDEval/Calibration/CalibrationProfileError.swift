import Foundation

/// Why a profile is refused. Each case says what, why and what to try.
public enum CalibrationProfileError: Error, Equatable, Sendable {
  /// The file cannot be read.
  case unreadable(path: String, reason: String)
  /// The file is no JSON, or no profile.
  case notAProfile(path: String, detail: String)
  /// The profile's format is newer than this program.
  case newerFormat(path: String, version: Int, known: Int)
  /// The content is not what was written.
  case changed(path: String)
  /// The content cannot be meant.
  case invalid(path: String, detail: String)
  /// The profile was made for other weights.
  case otherModel(profile: String, expected: String, found: String)
}

extension CalibrationProfileError: LocalizedError, CustomStringConvertible {
  /// A text for people.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "The profile \(path) cannot be read: \(reason)."
    case .notAProfile(let path, let detail):
      "\(path) is not a calibration profile: \(detail). Make one with 'selfcd calibrate'."
    case .newerFormat(let path, let version, let known):
      "The profile \(path) has format \(version), and this program knows up to \(known). Update the program, or "
        + "calibrate again with this one."
    case .changed(let path):
      "The profile \(path) was changed after it was made: its checksum does not fit, so its bound was not measured "
        + "for these settings. Calibrate again, or give the settings with --strategy and --alpha."
    case .invalid(let path, let detail):
      "The profile \(path) cannot be used: \(detail). Calibrate again."
    case .otherModel(let profile, let expected, let found):
      "The profile is for another model, \(profile) (SHA-256 \(expected.prefix(12))…), and this one is "
        + "\(found.prefix(12))…. What was measured there says nothing here: calibrate this model."
    }
  }

  /// The same text as `description`.
  public var errorDescription: String? { description }
}
