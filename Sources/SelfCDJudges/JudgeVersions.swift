import Foundation

/// Which of a judge's versions counts where replies were judged by several.
public enum JudgeVersions {
  /// The version with most verdicts; of equals the latest. Nil for none.
  public static func counted(_ verdicts: [String: Int]) -> String? {
    verdicts.max { first, second in
      first.value != second.value ? first.value < second.value : isLater(second.key, than: first.key)
    }?.key
  }

  /// Whether a version comes after another; numbers in it count as numbers, so that 10 comes after 9.
  public static func isLater(_ version: String, than other: String) -> Bool {
    version.compare(other, options: .numeric) == .orderedDescending
  }
}
