import Foundation
import SelfCDData
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// Bodies as popular clients send them (`ClientBodies`), each with where its shape comes from, on the real server with the
/// embedded model.
@Suite("Bodies of clients")
struct ClientBodyTests {
  struct Sample: Decodable, Sendable, CustomTestStringConvertible {
    let client: String
    /// Where the shape was looked up, or that it was recorded. The words in it are our own.
    let source: String
    let endpoint: String
    /// The field for which the server has no answer yet.
    let refused: String?
    /// What `selfcd.ignored` names.
    let ignored: [String]
    let body: JSONValue

    var testDescription: String { client }
  }

  static let samples: [Sample] = {
    let folder = Bundle.module.url(forResource: "ClientBodies", withExtension: nil)
    let files =
      folder.flatMap { try? FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil) }
      ?? []
    return files.sorted { $0.path < $1.path }.compactMap { file in
      (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Sample.self, from: $0) }
    }
  }()

  @Test("are all read, each with its source")
  func complete() throws {
    let folder = try #require(Bundle.module.url(forResource: "ClientBodies", withExtension: nil))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Self.samples.count == files.count)
    #expect(Self.samples.count >= 30)
    for sample in Self.samples { #expect(!sample.source.isEmpty, "\(sample.client)") }
  }

  @Test("are answered, or refused by the name of what is not built")
  func answered() async throws {
    try await TestServer.with { (server: TestServer) async throws in
      for sample in Self.samples {
        let answer = try await server.post(sample.body, to: sample.endpoint)
        if let field = sample.refused {
          #expect(answer.status == 400, "\(sample.client): \(answer.text)")
          #expect(answer.json["error"]["param"].string == field, "\(sample.client): \(answer.text)")
          #expect(answer.errorCode == "unsupported_parameter", "\(sample.client)")
          continue
        }
        #expect(answer.status == 200, "\(sample.client): \(answer.text)")
        let isStream = sample.body["stream"] == true
        let events = isStream ? Self.events(answer.text) : [answer.json]
        let text = events.flatMap { $0["choices"].items }.compactMap {
          $0["message"]["content"].string ?? $0["delta"]["content"].string ?? $0["text"].string
        }.joined()
        #expect(!text.isEmpty, "\(sample.client)")
        // In a stream they come with the first event and the last one of a choice.
        let last = events.last { !$0["choices"].items.isEmpty }
        for event in [events.first, last] {
          #expect(
            event?["selfcd"]["ignored"].items.compactMap(\.string) == sample.ignored, "\(sample.client)")
        }
      }
    }
  }

  private static func events(_ text: String) -> [JSONValue] {
    text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: {") }.compactMap {
      try? JSONDecoder().decode(JSONValue.self, from: Data($0.dropFirst(6).utf8))
    }
  }

  @Test("are refused by a strict server where they hold what it does not know")
  func strict() async throws {
    try await TestServer.with(policy: ServerPolicy(isStrict: true)) { (server: TestServer) async throws in
      for sample in Self.samples where sample.refused == nil && !sample.ignored.isEmpty {
        let answer = try await server.post(sample.body, to: sample.endpoint)
        #expect(answer.status == 400, "\(sample.client)")
        #expect(answer.errorCode == "unsupported_parameter", "\(sample.client): \(answer.text)")
      }
    }
  }
}
