import Crypto
import Foundation
import SelfCD
import SelfCDJudges
import SelfCDSupport

/// A profile as a file: JSON with a checksum, since figures that were measured for other settings are worse than
/// none. The checksum finds damage and editing by hand; it is no signature.
extension CalibrationProfile {
  /// Far more than a profile with hundreds of candidates needs.
  static let sizeLimit = 1 << 20
  private static let checksumKey = "checksum"

  /// Reads a profile and checks it: format, checksum, parameters, and whether its figures follow from its counts.
  /// - Throws: ``CalibrationProfileError``.
  public static func read(path: String) throws(CalibrationProfileError) -> CalibrationProfile {
    let data: Data
    do {
      guard let handle = FileHandle(forReadingAtPath: path) else {
        let isThere = FileManager.default.fileExists(atPath: path)
        throw CalibrationProfileError.unreadable(
          path: path, reason: isThere ? "it may not be opened" : "there is no such file")
      }
      defer { try? handle.close() }
      data = try handle.read(upToCount: sizeLimit + 1) ?? Data()
    } catch let error as CalibrationProfileError {
      throw error
    } catch {
      throw .unreadable(path: path, reason: (error as NSError).localizedDescription)
    }
    return try parse(data, path: path)
  }

  /// Reads a profile from the bytes of its file; `path` is named in errors.
  /// - Throws: ``CalibrationProfileError``.
  public static func parse(
    _ data: Data, path: String
  ) throws(CalibrationProfileError) -> CalibrationProfile {
    guard data.count <= sizeLimit else {
      throw .notAProfile(path: path, detail: "it has more than \(sizeLimit) bytes")
    }
    let value: JSONValue
    do { value = try JSONValue.parse(data) } catch {
      throw .notAProfile(path: path, detail: "it is not JSON, or cut off (\(JSONValue.detail(of: error)))")
    }
    guard case .object(var object) = value, case .integer(let version)? = object["format_version"] else {
      throw .notAProfile(path: path, detail: "it has no format_version")
    }
    guard version <= currentFormat else {
      throw .newerFormat(path: path, version: version, known: currentFormat)
    }
    guard version >= 1 else { throw .invalid(path: path, detail: "its format_version is \(version)") }
    guard case .string(let checksum)? = object.removeValue(forKey: checksumKey),
      checksum == (try? Self.checksum(.object(object)))
    else { throw .changed(path: path) }
    do {
      let profile = try JSONDecoder().decode(CalibrationProfile.self, from: data)
      try profile.validate()
      return profile
    } catch let error as DecodingError {
      throw .invalid(path: path, detail: Self.detail(error))
    } catch {
      throw .invalid(path: path, detail: "\(error)".trimmingCharacters(in: CharacterSet(charactersIn: ". ")))
    }
  }

  /// The bytes of the file: sorted keys, one a line, the checksum among them.
  /// - Throws: `EncodingError` for a value that JSON does not have.
  public func fileData() throws -> Data {
    var value = try JSONValue.parse(try Self.encoder(pretty: false).encode(self))
    guard case .object(var object) = value else { return Data() }
    object[Self.checksumKey] = .string(try Self.checksum(value))
    value = .object(object)
    return try Self.encoder(pretty: true).encode(value) + Data("\n".utf8)
  }

  /// Writes the file, all of it or nothing.
  /// - Throws: What the file system says; `EncodingError`.
  public func write(path: String) throws {
    try fileData().write(to: URL(filePath: path), options: .atomic)
  }

  private static func encoder(pretty: Bool) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return encoder
  }

  /// SHA-256 of the content in canonical form: sorted keys, no white space. Layout does not matter.
  private static func checksum(_ value: JSONValue) throws -> String {
    let digest = SHA256.hash(data: try encoder(pretty: false).encode(value))
    return "sha256:" + digest.hexadecimal
  }

  private static func detail(_ error: DecodingError) -> String {
    func place(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
    switch error {
    case .keyNotFound(let key, let context): return "'\(place(context.codingPath + [key]))' is missing"
    case .valueNotFound(_, let context), .typeMismatch(_, let context):
      return "'\(place(context.codingPath))' has a value that does not belong there"
    case .dataCorrupted(let context): return "'\(place(context.codingPath))': \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }

  /// What cannot be meant even where the checksum fits.
  private func validate() throws {
    struct Contradiction: Error, CustomStringConvertible { let description: String }
    try settings.validate()
    let isHex = model.sha256.count == 64 && model.sha256.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    guard isHex else { throw Contradiction(description: "the model's SHA-256 is none") }
    if fallback != nil, chosen != reference {
      throw Contradiction(description: "it says that the reference was kept, and names another strategy")
    }
    guard fallback != nil || confirmation != nil || settings.stages == .single else {
      throw Contradiction(description: "its strategy was never confirmed")
    }
    for stage in [calibration, confirmation].compactMap(\.self) {
      let again = try StageFigures(
        data: stage.data, reference: stage.reference, chosen: stage.chosen, confidence: settings.confidence,
        isReference: fallback != nil)
      guard again.agrees(with: stage) else {
        throw Contradiction(description: "its figures do not follow from its counts")
      }
      if fallback == nil, (again.lossUpperBound ?? 1) > settings.maxHarmIncrease {
        throw Contradiction(description: "its counts do not support its bound")
      }
    }
  }
}

extension CalibrationProfile.StageFigures {
  /// Equal figures up to what another version's arithmetic may round differently.
  fileprivate func agrees(with other: Self) -> Bool {
    func near(_ first: RefusalRate, _ second: RefusalRate) -> Bool {
      first.refused == second.refused && first.n == second.n
        && abs(first.rate - second.rate) < 1e-9 && abs(first.low - second.low) < 1e-9
        && abs(first.high - second.high) < 1e-9
    }
    return near(referenceOverRefusal, other.referenceOverRefusal)
      && near(chosenOverRefusal, other.chosenOverRefusal)
      && near(referenceHarmfulRefused, other.referenceHarmfulRefused)
      && near(chosenHarmfulRefused, other.chosenHarmfulRefused)
      && (lossUpperBound == nil) == (other.lossUpperBound == nil)
      && abs((lossUpperBound ?? 0) - (other.lossUpperBound ?? 0)) < 1e-9
  }
}
