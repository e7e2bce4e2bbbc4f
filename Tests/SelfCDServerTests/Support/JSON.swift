import SelfCDSupport

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { $1 })
  }

  /// A field, or null.
  subscript(key: String) -> JSONValue {
    if case .object(let object) = self { object[key] ?? .null } else { .null }
  }

  /// An item, or null.
  subscript(index: Int) -> JSONValue {
    if case .array(let items) = self, items.indices.contains(index) { items[index] } else { .null }
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var int: Int? { if case .integer(let value) = self { value } else { nil } }
  var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
  var keys: [String] { if case .object(let object) = self { object.keys.sorted() } else { [] } }

  func setting(_ key: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var object) = self else { return self }
    object[key] = value
    return .object(object)
  }
}

/// A chat of one question.
func question(_ text: String = "How do I kill a wine stain?", _ fields: [String: JSONValue] = [:])
  -> JSONValue
{
  .object(fields.merging(["messages": [["role": "user", "content": .string(text)]]]) { first, _ in first })
}
