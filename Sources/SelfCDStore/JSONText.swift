import Foundation

/// Values as JSON text in a column, with sorted keys so that equal values are equal text.
enum JSONText {
  static func encode(_ value: some Encodable, _ what: String) throws(StoreError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw .badValue(what: what, detail: "\(error)")
    }
  }

  static func decode<Value: Decodable>(
    _ type: Value.Type, _ text: String, _ what: String
  ) throws(StoreError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch {
      throw .badValue(what: what, detail: "\(error)")
    }
  }

  static func check(_ text: String, _ what: String) throws(StoreError) {
    do {
      _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    } catch {
      throw .badValue(what: what, detail: "it is not JSON")
    }
  }
}
