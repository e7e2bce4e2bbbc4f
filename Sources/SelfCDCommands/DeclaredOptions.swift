import ArgumentParser
import SelfCD

/// Options that follow from declared ``StrategyParameter``s, so that a new parameter needs no line here.
///
/// ArgumentParser finds options by reflection; this type shows it the options of the parameters in place of properties.
protocol DeclaredOptions: ParsableArguments, CustomReflectable {
  /// The parameters that have an option of this group.
  static var declared: [StrategyParameter] { get }
  /// A parameter's option.
  static func option(of parameter: StrategyParameter) -> Option<String?>
  /// The texts that were given, by parameter.
  var texts: [StrategyParameter: String] { get set }
}

extension DeclaredOptions {
  /// The options, as reflection finds those of property wrappers.
  var customMirror: Mirror {
    let children = Self.declared.map { parameter -> Mirror.Child in
      (label: "_" + DeclaredOptionKey(Self.self, parameter).stringValue, value: Self.option(of: parameter))
    }
    return Mirror(self, children: children)
  }

  /// Reads what was given.
  init(from decoder: any Decoder) throws {
    self.init()
    let container = try decoder.container(keyedBy: DeclaredOptionKey.self)
    for parameter in Self.declared {
      let key = DeclaredOptionKey(Self.self, parameter)
      if let text = try container.decodeIfPresent(Option<String?>.self, forKey: key)?.wrappedValue {
        texts[parameter] = text
      }
    }
  }
}

/// The key of a declared option: each group has its own, since several groups may stand in one command.
struct DeclaredOptionKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ group: Any.Type, _ parameter: StrategyParameter) { stringValue = "\(group)_\(parameter.name)" }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension StrategyParameter {
  /// The option that gives it.
  var option: String { "--" + optionName }

  /// The option's name without the hyphens before it.
  var optionName: String { name.replacing("_", with: "-") }

  /// The environment variable that gives it where no option does.
  var environmentVariable: String { "SELFCD_" + name.uppercased() }

  /// What stands for a value in help.
  var valueName: String {
    switch kind {
    case .number: "number"
    case .integer: "n"
    case .choice: "name"
    case .text: "text"
    case .safetyPrompt: "preset or text"
    case .examples: "file"
    }
  }
}
