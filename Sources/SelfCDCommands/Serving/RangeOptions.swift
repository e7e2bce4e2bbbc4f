import ArgumentParser
import SelfCD
import SelfCDServer
import SelfCDSupport

/// The numbers that clients may ask for: an option for each parameter that is a number.
struct RangeOptions: DeclaredOptions {
  var texts: [StrategyParameter: String] = [:]

  init() {}

  static var declared: [StrategyParameter] { StrategyCatalogue.parameters.filter(\.isNumeric) }

  static func option(of parameter: StrategyParameter) -> Option<String?> {
    let otherwise =
      ServerPolicy.identity(of: parameter).map { "else from \(NumberFormat.parameter($0)) to what is usual" }
      ?? "else none but its own"
    return Option(
      name: .customLong(parameter.optionName + "-range"), parsing: .unconditional,
      help: ArgumentHelp(
        "The \(parameter) that clients may ask for, as in \(Self.sample(of: parameter)); \(otherwise).",
        valueName: "low...high"))
  }

  private static func sample(of parameter: StrategyParameter) -> String {
    if parameter == .alpha { return "0...2.5" }
    switch parameter.kind {
    case .integer(let range): return "\(range.lowerBound)...\(min(range.upperBound, 20))"
    case .number(let range) where range.lowerBound >= 1: return "1...2"
    default: return "0.1...0.5"
    }
  }

  func validate() throws { _ = try ranges() }

  /// The ranges given.
  /// - Throws: `ValidationError`.
  func ranges() throws -> [StrategyParameter: ClosedRange<Double>] {
    var ranges: [StrategyParameter: ClosedRange<Double>] = [:]
    for parameter in Self.declared {
      guard let text = texts[parameter], let limits = parameter.limits else { continue }
      let parts = text.components(separatedBy: "...")
      let bounds = parts.compactMap(Double.init)
      guard parts.count == 2, bounds.count == 2, bounds[0] <= bounds[1], bounds.allSatisfy(limits.contains)
      else {
        throw ValidationError("\(parameter.option)-range must be LOW...HIGH within \(Self.text(of: limits)).")
      }
      ranges[parameter] = bounds[0]...bounds[1]
    }
    return ranges
  }

  private static func text(of limits: ClosedRange<Double>) -> String {
    let high = limits.upperBound >= Double(Int.max) ? "any" : NumberFormat.parameter(limits.upperBound)
    return "\(NumberFormat.parameter(limits.lowerBound))...\(high)"
  }
}
