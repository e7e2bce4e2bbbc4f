import Foundation

/// The published sets, which are not part of this repository: `SELFCD_DATA` names the folder that holds them.
package enum RealData {
  package static let skipReason =
    "skipped: needs the published data sets; set SELFCD_DATA to the folder with xstest/, oktest/ and the others"

  package struct Missing: Error, CustomStringConvertible {
    package var description: String { RealData.skipReason }
  }

  package static var folder: String? {
    guard let path = ProcessInfo.processInfo.environment["SELFCD_DATA"], !path.isEmpty else { return nil }
    return path
  }

  package static var isPresent: Bool { folder != nil }

  package static func path(_ relative: String) throws -> String {
    guard let folder else { throw Missing() }
    return folder + "/" + relative
  }
}
