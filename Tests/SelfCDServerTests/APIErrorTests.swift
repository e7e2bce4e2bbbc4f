import Foundation
import SelfCDServer
import Testing

@Suite("API errors")
struct APIErrorTests {
  @Test("name the field at fault")
  func encoding() throws {
    let error = APIError(.badRequest, type: "invalid_request_error", message: "m", param: "alpha")
    let json = String(decoding: try JSONEncoder().encode(error), as: UTF8.self)
    #expect(json.contains(#""param":"alpha""#))
  }
}
