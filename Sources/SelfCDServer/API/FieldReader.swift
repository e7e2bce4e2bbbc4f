import SelfCDSupport

/// A field that is missing, wrong, or unknown, in a request or in the operator's file.
struct FieldError: Error, Sendable, Equatable {
  let message: String
  /// The field's path, such as `messages[2].role`.
  let field: String?
  /// Whether the field is one nobody knows, or one that is known and not built.
  var isUnsupported = false

  init(_ message: String, field: String? = nil, isUnsupported: Bool = false) {
    self.message = message
    self.field = field
    self.isUnsupported = isUnsupported
  }
}

extension APIError {
  /// A fault of the request's body: 400.
  init(_ error: FieldError) {
    self = .invalid(
      error.message, param: error.field, code: error.isUnsupported ? "unsupported_parameter" : nil)
  }
}

/// Takes the fields of a JSON object one by one, so that what is left at the end is what nobody asked for.
///
/// `null` stands for an absent field, as clients write it.
struct FieldReader {
  private var fields: [String: JSONValue]
  private let path: String
  /// Whether a field that nobody knows is an error.
  let isStrict: Bool
  /// What was left aside.
  private(set) var ignored = IgnoredFields()

  init(_ object: [String: JSONValue], path: String = "", isStrict: Bool) {
    fields = object.filter { $0.value != .null }
    self.path = path
    self.isStrict = isStrict
  }

  /// The whole path of a field.
  func name(_ field: String) -> String { path.isEmpty ? field : "\(path).\(field)" }

  /// A field that stays for others to take.
  func peek(_ field: String) -> JSONValue? { fields[field] }

  mutating func value(_ field: String) -> JSONValue? { fields.removeValue(forKey: field) }

  mutating func string(_ field: String) throws(FieldError) -> String? {
    guard let value = value(field) else { return nil }
    guard case .string(let text) = value else { throw wrong(field, value, "a string") }
    return text
  }

  mutating func bool(_ field: String) throws(FieldError) -> Bool? {
    guard let value = value(field) else { return nil }
    guard case .bool(let flag) = value else { throw wrong(field, value, "true or false") }
    return flag
  }

  mutating func integer(_ field: String, in range: ClosedRange<Int>? = nil) throws(FieldError) -> Int? {
    guard let value = value(field) else { return nil }
    guard let number = value.wholeNumber else { throw wrong(field, value, "a whole number") }
    if let range, !range.contains(number) {
      throw FieldError(
        "'\(name(field))' is \(number), but it must be "
          + (range.upperBound == .max
            ? "\(range.lowerBound) or more." : "from \(range.lowerBound) to \(range.upperBound)."),
        field: name(field))
    }
    return number
  }

  /// A whole number of 64 bits, with a sign or without. Above the greatest number with one, JSON numbers are read as
  /// rounded ones.
  mutating func bits(_ field: String) throws(FieldError) -> UInt64? {
    guard let value = value(field) else { return nil }
    if let number = value.wholeNumber { return UInt64(bitPattern: Int64(number)) }
    guard let number = value.double, number == number.rounded() else {
      throw wrong(field, value, "a whole number")
    }
    guard (0...0x1p64).contains(number) else {
      throw FieldError(
        "'\(name(field))' is \(number), but it must be from \(Int64.min) to \(UInt64.max).",
        field: name(field))
    }
    return UInt64(exactly: number) ?? .max
  }

  mutating func number(_ field: String, in range: ClosedRange<Double>? = nil) throws(FieldError) -> Double? {
    guard let value = value(field) else { return nil }
    guard let number = value.double, number.isFinite else { throw wrong(field, value, "a number") }
    if let range, !range.contains(number) {
      throw FieldError(
        "'\(name(field))' is \(number), but it must be from \(range.lowerBound) to \(range.upperBound).",
        field: name(field))
    }
    return number
  }

  mutating func array(_ field: String) throws(FieldError) -> [JSONValue]? {
    guard let value = value(field) else { return nil }
    guard case .array(let items) = value else { throw wrong(field, value, "a list") }
    return items
  }

  /// - Parameter isStrict: whether an unknown field in it is an error in any case.
  mutating func object(_ field: String, isStrict: Bool = false) throws(FieldError) -> FieldReader? {
    guard let value = value(field) else { return nil }
    guard case .object(let object) = value else { throw wrong(field, value, "an object") }
    return FieldReader(object, path: name(field), isStrict: isStrict || self.isStrict)
  }

  /// A list of strings.
  mutating func strings(_ field: String) throws(FieldError) -> [String]? {
    guard let items = try array(field) else { return nil }
    var texts: [String] = []
    for item in items {
      guard case .string(let text) = item else { throw wrong(field, item, "a list of strings") }
      texts.append(text)
    }
    return texts
  }

  /// A field that is known and not built: fine where its value asks for nothing, refused by name elsewhere.
  mutating func refuse(
    _ field: String, unless isNeutral: (JSONValue) -> Bool = { _ in false }, because reason: String
  ) throws(FieldError) {
    guard let value = value(field), !isNeutral(value) else { return }
    throw FieldError(
      "'\(name(field))' is not supported: \(reason)", field: name(field), isUnsupported: true)
  }

  /// Fields that change nothing about a reply and may be left aside.
  mutating func ignore(_ names: [String]) {
    for name in names { fields[name] = nil }
  }

  /// A field that may be left aside where its value asks for nothing.
  mutating func ignore(_ field: String, where isNeutral: (JSONValue) -> Bool) {
    if let value = fields[field], isNeutral(value) { fields[field] = nil }
  }

  /// Takes over what was left aside in an object inside this one.
  mutating func adopt(_ other: FieldReader) { ignored.add(other.ignored) }

  /// The names of the fields that nobody has taken yet, in alphabetical order.
  var rest: [String] { fields.keys.sorted() }

  /// Leaves aside what nobody took.
  ///
  /// - Throws: ``FieldError`` for the first such field where that is an error.
  mutating func finish(known: [String] = []) throws(FieldError) {
    if isStrict, let field = rest.first {
      let nearest = NearestName.of(field, among: known).map { " Did you mean '\($0)'?" } ?? ""
      throw FieldError(
        path == "selfcd"
          ? "'\(name(field))' is not known to this server.\(nearest)"
          : "'\(name(field))' has no effect on this server, which refuses such fields (--strict).",
        field: name(field), isUnsupported: true)
    }
    for field in rest { ignored.add(field, in: path) }
    fields = [:]
  }

  private func wrong(_ field: String, _ value: JSONValue, _ expected: String) -> FieldError {
    FieldError("'\(name(field))' is \(value.kind), but it must be \(expected).", field: name(field))
  }
}

extension JSONValue {
  /// Whether it asks for nothing: `false`, and an empty text, list or object.
  var isNothing: Bool { self == .bool(false) || self == .string("") || isEmpty }

  /// The number, if it is one without a fraction.
  var wholeNumber: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether it holds nothing: an empty list or object.
  var isEmpty: Bool {
    switch self {
    case .array(let items): items.isEmpty
    case .object(let object): object.isEmpty
    default: false
    }
  }
}
