import Foundation
import Testing

/// The published sets, which are not part of this repository: `SELFCD_DATA` names the folder that holds them.
enum RealData {
  static let skipReason: Comment =
    "skipped: needs the published data sets; set SELFCD_DATA to the folder with xstest/, oktest/ and the others"

  static var folder: String? {
    guard let path = ProcessInfo.processInfo.environment["SELFCD_DATA"], !path.isEmpty else { return nil }
    return path
  }

  static var isPresent: Bool { folder != nil }

  static func path(_ relative: String) throws -> String {
    try #require(folder, "SELFCD_DATA is not set") + "/" + relative
  }
}
