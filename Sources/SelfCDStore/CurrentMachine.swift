import Foundation
import SelfCDSupport

extension RunRecord.Machine {
  /// The machine that this program runs on, with the cores that it may use.
  public static var current: Self {
    let information = ProcessInfo.processInfo
    return Self(
      processor: processorName ?? "unknown", cores: information.activeProcessorCount,
      memory: Int(clamping: information.physicalMemory), system: information.operatingSystemVersionString)
  }

  /// The machine of replies that were made elsewhere: nothing is known of it.
  public static let imported = Self(processor: "imported", cores: 0, memory: 0, system: "imported")

  /// One line for people.
  package var summary: String {
    guard self != .imported else { return "not known: the replies are imported" }
    return "\(processor), \(cores) cores, \(NumberFormat.bytes(memory)), \(system)"
  }

  private static var processorName: String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    return text.split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
  }
}
