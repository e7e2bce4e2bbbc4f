import Foundation

/// Writes metrics in Prometheus' text exposition format, version 0.0.4.
struct PrometheusPage {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"
  private(set) var text = ""

  mutating func counter<Key>(
    _ name: String, _ help: String, _ values: [Key: Int], _ labels: (Key) -> [(String, String)]
  ) {
    samples(name, help, "counter", values.map { ($0.key, Double($0.value)) }, labels)
  }

  mutating func gauge<Key>(
    _ name: String, _ help: String, _ values: [(Key, Double)], _ labels: (Key) -> [(String, String)]
  ) {
    samples(name, help, "gauge", values, labels)
  }

  mutating func histogram<Key>(
    _ name: String, _ help: String, _ values: [Key: Histogram], _ labels: (Key) -> [(String, String)]
  ) {
    head(name, help, "histogram")
    for (key, histogram) in values.map({ ($0.key, $0.value) }).sorted(by: {
      Self.written(labels($0.0)) < Self.written(labels($1.0))
    }) {
      let labels = labels(key)
      var sum = 0
      for (bound, count) in zip(histogram.bounds, histogram.counts) {
        sum += count
        line(name + "_bucket", labels + [("le", Self.number(bound))], Double(sum))
      }
      line(name + "_bucket", labels + [("le", "+Inf")], Double(histogram.count))
      line(name + "_sum", labels, histogram.sum)
      line(name + "_count", labels, Double(histogram.count))
    }
  }

  private mutating func samples<Key>(
    _ name: String, _ help: String, _ type: String, _ values: [(Key, Double)],
    _ labels: (Key) -> [(String, String)]
  ) {
    head(name, help, type)
    let lines = values.map { (Self.written(labels($0.0)), $0.1) }.sorted { $0.0 < $1.0 }
    for (labels, value) in lines { text += "\(name)\(labels) \(Self.number(value))\n" }
  }

  private mutating func head(_ name: String, _ help: String, _ type: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  private mutating func line(_ name: String, _ labels: [(String, String)], _ value: Double) {
    text += "\(name)\(Self.written(labels)) \(Self.number(value))\n"
  }

  private static func written(_ labels: [(String, String)]) -> String {
    labels.isEmpty ? "" : "{" + labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",") + "}"
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}

/// A histogram with fixed bounds.
struct Histogram: Sendable {
  /// Upper bounds in seconds, from a token of a small model to a long reply of a large one.
  static let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

  let bounds: [Double]
  /// Observations of each bucket alone.
  private(set) var counts: [Int]
  private(set) var count = 0
  private(set) var sum = 0.0

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count)
  }

  mutating func observe(_ value: Double) {
    count += 1
    sum += value
    if let bucket = bounds.firstIndex(where: { value <= $0 }) { counts[bucket] += 1 }
  }
}

/// Events a second over the last whole seconds.
struct RateWindow: Sendable {
  static let length = 10
  private var counts = Array(repeating: 0, count: length + 1)
  private var latest = 0

  mutating func add(_ count: Int, at second: Int) {
    advance(to: second)
    counts[second % counts.count] += count
  }

  /// The running second is left out, being incomplete.
  mutating func rate(at second: Int) -> Double {
    advance(to: second)
    return Double(counts.reduce(0, +) - counts[second % counts.count]) / Double(Self.length)
  }

  private mutating func advance(to second: Int) {
    guard second > latest else { return }
    for passed in (max(latest, second - counts.count) + 1)...second { counts[passed % counts.count] = 0 }
    latest = second
  }
}
