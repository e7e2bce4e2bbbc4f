import SelfCDEval
import SelfCDSupport

/// What became of rules, in the XML that build servers read: a test case for each rule and condition.
struct JUnitReport {
  let suite: String
  let checks: [RuleCheck]

  var text: String {
    let unchecked = checks.count { $0.problem != nil }
    let counts =
      "tests=\"\(checks.count)\" failures=\"\(checks.count(where: \.isBroken))\" errors=\"\(unchecked)\""
    var lines = [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites name=\"selfcd\" \(counts)>",
      "  <testsuite name=\"\(Self.escaped(suite))\" \(counts)>",
    ]
    for check in checks {
      let name = Self.escaped(check.rule.description)
      let place = Self.escaped("\(check.source), \(check.condition)")
      let message = Self.escaped(check.message)
      let content: String? =
        switch check.outcome {
        case .broken: "<failure message=\"\(message)\"/>"
        case .unchecked: "<error message=\"\(message)\"/>"
        case .kept: check.missing == nil ? nil : "<system-out>\(message)</system-out>"
        }
      guard let content else {
        lines.append("    <testcase classname=\"\(place)\" name=\"\(name)\"/>")
        continue
      }
      lines.append("    <testcase classname=\"\(place)\" name=\"\(name)\">")
      lines.append("      \(content)")
      lines.append("    </testcase>")
    }
    return (lines + ["  </testsuite>", "</testsuites>"]).joined(separator: "\n") + "\n"
  }

  private static func escaped(_ text: String) -> String {
    UntrustedText.singleLine(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }
}
