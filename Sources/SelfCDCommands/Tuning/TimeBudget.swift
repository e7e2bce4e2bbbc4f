import ArgumentParser

/// A span of time as people write it: `20m`, `90s`, `1h30m`.
struct TimeBudget: ExpressibleByArgument, Equatable {
  let seconds: Double

  var duration: Duration { .milliseconds(Int((seconds * 1000).rounded())) }

  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]

  init?(argument: String) {
    var rest = Substring(argument.lowercased())
    var total = 0.0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      // A number without a unit could be seconds as well as minutes.
      guard let number = Double(digits), let unit = rest.first.flatMap({ Self.units[$0] }) else { return nil }
      total += number * unit
      rest = rest.dropFirst()
    }
    guard total >= 0.001, total <= 1e8 else { return nil }
    seconds = total
  }
}
