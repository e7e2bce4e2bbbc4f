import ArgumentParser
import Foundation
import SelfCD

/// What strategies can be given besides α and the prompts; how those are given differs by command.
struct ParameterOptions: DeclaredOptions {
  var texts: [StrategyParameter: String] = [:]

  init() {}

  static var declared: [StrategyParameter] {
    let elsewhere: [StrategyParameter] = [.alpha, .emphasis, .emphasisPosition, .plainSystem]
    return StrategyCatalogue.parameters.filter { !elsewhere.contains($0) }
  }

  static func option(of parameter: StrategyParameter) -> Option<String?> {
    Option(
      name: .customLong(parameter.optionName), parsing: .unconditional,
      help: ArgumentHelp(parameter.help, valueName: parameter.valueName))
  }

  /// Forgets what a strategy does not take.
  mutating func keep(_ taken: [StrategyParameter]) { texts = texts.filter { taken.contains($0.key) } }

  /// The options given.
  var given: [String] { Self.declared.filter { texts[$0] != nil }.map(\.option) }

  /// Whether options are given that only guidance has.
  var asksForGuidance: Bool { texts[.negativePrompt] != nil || texts[.guidance] != nil }

  func validate() throws {
    for parameter in Self.declared where parameter.kind != .examples { _ = try value(of: parameter) }
  }

  private func value(of parameter: StrategyParameter) throws -> StrategyValue? {
    guard let text = texts[parameter] else { return nil }
    if parameter.kind == .examples { return .examples(try ExamplePool.read(text)) }
    do {
      return try parameter.value(of: text)
    } catch {
      throw ValidationError(
        "The value '\(text)' is invalid for '\(parameter.option) <\(parameter.valueName)>': \(error)")
    }
  }

  /// - Throws: what reading a file throws.
  func parameters(alpha: Float? = nil, prompts: PromptOptions) throws -> StrategyParameters {
    var parameters = try prompts.parameters(alpha: alpha)
    for parameter in Self.declared { parameters[parameter] = try value(of: parameter) }
    return parameters
  }
}

/// What the environment says of parameters, for options that are not given: `SELFCD_BETA=0.1`.
///
/// It sets how a strategy decodes that is asked for, never which one: a variable that is always there must not turn a
/// model that decodes as it is into a contrast.
enum EnvironmentParameters {
  /// - Throws: `ValidationError` for a value that its parameter cannot have.
  static func given(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> StrategyParameters {
    var parameters = StrategyParameters()
    for parameter in StrategyCatalogue.parameters where parameter.kind != .examples {
      guard let text = environment[parameter.environmentVariable], !text.isEmpty else { continue }
      do {
        parameters[parameter] = try parameter.value(of: text)
      } catch {
        throw ValidationError(
          "The environment variable \(parameter.environmentVariable) cannot be used: \(error)")
      }
    }
    return parameters
  }
}

extension ValidationError {
  /// The error in the words of the command line.
  init(_ error: StrategyError) {
    switch error {
    case .unused(let parameter, let name): self.init(parameter, hasNoEffectOn: [name])
    case .missing(let parameter, let name):
      self.init("'\(name)' needs \(parameter.option), which has no default.")
    case .outOfRange, .unknown, .nameTaken: self.init("\(error)")
    }
  }

  fileprivate init(_ parameter: StrategyParameter, hasNoEffectOn names: [String]) {
    self.init(
      "\(parameter.option) has no effect on '\(names.joined(separator: ", "))'; it goes with "
        + "\(parameter.takers.joined(separator: ", ")).")
  }
}

extension StrategyParameters {
  /// A parameter that has no effect would mislead, so it is an error.
  ///
  /// - Throws: `ValidationError` for an unknown name, or a parameter that none of the strategies `names` takes.
  func rejectUnused(by names: [String]) throws {
    let taken = try names.reduce(into: Set<StrategyParameter>()) { $0.formUnion(try Self.taken(by: $1)) }
    for parameter in given where !taken.contains(parameter) {
      throw ValidationError(parameter, hasNoEffectOn: names)
    }
  }

  /// What the strategy `name` takes.
  ///
  /// - Throws: `ValidationError` for an unknown name.
  static func taken(by name: String) throws -> [StrategyParameter] {
    do { return try StrategyCatalogue.type(named: name).takes } catch { throw ValidationError(error) }
  }

  /// The strategy `name` with them, and with what the environment says of others that it takes.
  ///
  /// - Throws: `ValidationError` for an unknown name, a parameter the strategy does not take, or one out of range.
  func make(_ name: String) throws -> any DecodingStrategy {
    let usual = try EnvironmentParameters.given().keeping(Self.taken(by: name))
    do { return try StrategyCatalogue.make(name, usual.replaced(by: self)) } catch {
      throw ValidationError(error)
    }
  }
}
