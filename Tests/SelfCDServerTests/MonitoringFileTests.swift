import Foundation
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// The dashboard and the alert rules that come with the server.
@Suite("Monitoring files")
struct MonitoringFileTests {
  private static let names = ["grafana-dashboard.json", "prometheus-alerts.yml"]

  private static func text(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test("every metric that they name is one of those that the documentation lists", arguments: names)
  func metrics(name: String) throws {
    let text = try Self.text("Packaging/monitoring/\(name)")
    let documented = try MetricsPageTests.documented()
    let named = Set(text.matches(of: /selfcd_[a-z_]+|process_[a-z_]+/).map { String($0.output) })
    #expect(named.count >= 4)
    for metric in named {
      let base = metric.replacing(/_bucket$/, with: "")
      #expect(documented.contains(base), "\(metric)")
    }
  }

  @Test("the dashboard is JSON with a query in every panel")
  func dashboard() throws {
    let data = Data(try Self.text("Packaging/monitoring/grafana-dashboard.json").utf8)
    let dashboard = try JSONDecoder().decode(JSONValue.self, from: data)
    let panels = dashboard["panels"].items
    #expect(panels.count == 8)
    for panel in panels { #expect(panel["targets"][0]["expr"].string?.isEmpty == false) }
  }
}
