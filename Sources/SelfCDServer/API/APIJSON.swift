import Foundation
import Hummingbird

/// How values become the JSON of responses: snake case, slashes as they are.
enum APIJSON {
  static let contentType = "application/json; charset=utf-8"

  static func data(_ value: some Encodable) -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // No response has a key or number that JSON cannot hold; if one ever had, an empty object is no broken
    // document.
    return (try? encoder.encode(value)) ?? Data("{}".utf8)
  }

  static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: contentType, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: data(value))))
  }
}

/// A value that is written as `null` where it is absent, for keys that clients expect to be there.
struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
  let value: Value?

  init(_ value: Value?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}
