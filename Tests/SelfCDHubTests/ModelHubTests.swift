import Foundation
import Synchronization
import Testing

@testable import SelfCDHub

@Suite struct ModelHubTests {
  @Test func aModelLandsInTheSharedLayout() async throws {
    let fixture = try HubFixture()
    let path = try await fixture.fetch("tiny")
    let folder = fixture.cache.appending(path: "models--acme--tiny")
    #expect(path.path == folder.appending(path: "snapshots/\(HubFixture.commit)/tiny-Q4_K_M.gguf").path)
    try HubFixture.expectSound(path, size: 300_000)
    #expect(
      try String(contentsOf: folder.appending(path: "refs/main"), encoding: .utf8) == HubFixture.commit)
    #expect(fixture.blobs("tiny").count == 1)
    #expect(try await fixture.downloads().allSatisfy { $0.encoding == "identity" })
    let events = fixture.events.withLock { $0 }
    #expect(events.last == .progress(received: 300_000, total: 300_000))
  }

  @Test func whatIsThereNeedsNoNetwork() async throws {
    let fixture = try HubFixture()
    let path = try await fixture.fetch("tiny")
    let before = try await fixture.requests().count
    #expect(try await fixture.fetch("tiny") == path)
    #expect(try await fixture.fetch("tiny:q4_k_m", fixture.hub(isOffline: true)) == path)
    #expect(try await fixture.requests().count == before)
    await #expect(
      throws: HubError.notCached(
        reference: "hf:acme/tiny:F16", cache: fixture.cache.path, available: ["Q4_K_M"])
    ) {
      try await fixture.fetch("tiny:F16", fixture.hub(isOffline: true))
    }
  }

  @Test func withoutQuantisationTheHubIsAskedUnlessTheFirstChoiceIsThere() async throws {
    let fixture = try HubFixture()
    _ = try await fixture.fetch("tiny:F16")
    #expect(try await fixture.fetch("tiny").lastPathComponent == "tiny-Q4_K_M.gguf")
  }

  @Test func theCacheHelpsWhenTheHubIsAway() async throws {
    let fixture = try HubFixture()
    let path = try await fixture.fetch("tiny:F16")
    let nowhere = try #require(URL(string: "http://127.0.0.1:9"))
    let away = fixture.hub(pauses: [], endpoint: nowhere)
    #expect(try await fixture.fetch("tiny", away) == path)
    #expect(
      fixture.events.withLock { events in
        events.contains { if case .usingCache = $0 { true } else { false } }
      })
    await #expect {
      try await fixture.fetch("tiny:Q8_0", away)
    } throws: {
      if case HubError.network(_, received: nil) = $0 { true } else { false }
    }
  }

  @Test func smallFilesCarryGitsChecksum() async throws {
    let fixture = try HubFixture()
    let path = try await fixture.fetch("tiny:Q8_0")
    #expect(path.resolvingSymlinksInPath().lastPathComponent.count == 40)
    #expect(try Data(contentsOf: path).count == 3000)
  }

  @Test func foldersAndForeignLettersInNames() async throws {
    let fixture = try HubFixture()
    let path = try await fixture.fetch("tiny:Q5_K_M")
    #expect(path.path.hasSuffix("/sub folder/tiny é-Q5_K_M.gguf"))
    try HubFixture.expectSound(path, size: 4000)
    #expect(try await fixture.fetch("tiny:Q5_K_M", fixture.hub(isOffline: true)) == path)
  }

  @Test func splitModelsComeWhole() async throws {
    let fixture = try HubFixture()
    let path = try await fixture.fetch("split")
    for part in 1...3 {
      let file = path.deletingLastPathComponent().appending(path: "s-Q4_K_M-0000\(part)-of-00003.gguf")
      try HubFixture.expectSound(file, size: 70_000 + part)
    }
    #expect(path.lastPathComponent == "s-Q4_K_M-00001-of-00003.gguf")
    #expect(fixture.events.withLock { $0.last } == .progress(received: 210_006, total: 210_006))
    // A part that is lost is fetched again, the others are not.
    let second = path.deletingLastPathComponent().appending(path: "s-Q4_K_M-00002-of-00003.gguf")
    try FileManager.default.removeItem(at: second.resolvingSymlinksInPath())
    let before = try await fixture.downloads().count
    #expect(try await fixture.fetch("split") == path)
    try HubFixture.expectSound(second, size: 70_002)
    #expect(try await fixture.downloads().count == before + 1)
    await #expect(
      throws: HubError.incompleteSplit(
        repository: "acme/halfsplit", missing: "s-Q4_K_M-00002-of-00003.gguf")
    ) { try await fixture.fetch("halfsplit") }
  }

  @Test func revisionsAreKeptApart() async throws {
    let fixture = try HubFixture()
    _ = try await fixture.fetch("tiny@v2/x")
    let refs = fixture.cache.appending(path: "models--acme--tiny/refs")
    #expect(FileManager.default.fileExists(atPath: refs.appending(path: "v2/x").path))
    #expect(!FileManager.default.fileExists(atPath: refs.appending(path: "main").path))
    _ = try await fixture.fetch("tiny@\(HubFixture.commit):F16", fixture.hub())
    await #expect(throws: HubError.noSuchRevision("v9", repository: "acme/tiny")) {
      try await fixture.fetch("tiny@v9")
    }
  }

  @Test func listingsOfSeveralPagesAreReadToTheEnd() async throws {
    let fixture = try HubFixture()
    try HubFixture.expectSound(try await fixture.fetch("paged"), size: 1000)
  }

  @Test func pathsOutsideTheCacheAreNotWritten() async throws {
    let fixture = try HubFixture()
    #expect(try await fixture.fetch("evil").lastPathComponent == "m-Q4_K_M.gguf")
    #expect(fixture.blobs("evil").count == 1)
  }

  // MARK: - Broken connections

  @Test(arguments: ["cut", "cutnorange"]) func aBrokenConnectionIsTakenUpAgain(_ name: String) async throws {
    let fixture = try HubFixture()
    try HubFixture.expectSound(try await fixture.fetch(name), size: 300_000)
    let ranges = try await fixture.downloads().compactMap(\.range)
    #expect(ranges.count == 4 && ranges.first == "bytes=0-299999")
    #expect(ranges.dropFirst().allSatisfy { !$0.hasPrefix("bytes=0-") }, "each goes on where the last ended")
    if name == "cut" {
      #expect(fixture.waits.withLock { $0 } == [1, 1, 1], "progress starts the pauses anew")
    }
  }

  @Test func aCancelledDownloadGoesOnNextTime() async throws {
    let fixture = try HubFixture()
    let (progress, signal) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await fixture.hub().path(of: try HubReference(parsing: "hf:acme/halting")) { event in
        if case .progress(let received, _) = event, received > 0 { signal.yield() }
      }
    }
    for await _ in progress { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let left = fixture.blobs("halting")
    #expect(left.count == 1 && left[0].hasSuffix(".incomplete"))
    try HubFixture.expectSound(try await fixture.fetch("halting"), size: 300_000)
    let range = try #require(try await fixture.downloads().last?.range)
    #expect(!range.hasPrefix("bytes=0-") && range.hasSuffix("-299999"))
    #expect(fixture.blobs("halting").count == 1)
  }

  @Test func piecesBoundWhatIsAskedForAtOnce() async throws {
    let fixture = try HubFixture()
    try HubFixture.expectSound(try await fixture.fetch("tiny", fixture.hub(piece: 100_000)), size: 300_000)
    #expect(
      try await fixture.downloads().map(\.range) == [
        "bytes=0-99999", "bytes=100000-199999", "bytes=200000-299999",
      ])
    #expect(fixture.waits.withLock { $0 }.isEmpty)
  }

  @Test func aServerWithoutRangesSendsTheWhole() async throws {
    let fixture = try HubFixture()
    try HubFixture.expectSound(
      try await fixture.fetch("norange", fixture.hub(piece: 100_000)), size: 300_000)
    #expect(try await fixture.downloads().count == 1)
  }

  @Test func aDeadServerIsGivenUp() async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch("dead")
    } throws: {
      if case HubError.network(_, received: 0) = $0 { true } else { false }
    }
    #expect(fixture.waits.withLock { $0 } == [1, 2, 4])
  }

  @Test(arguments: [("short", 1), ("shortuntold", 4), ("alwaysbad", 1)])
  func aServerThatHasFewerBytesThanAnnouncedIsGivenUp(_ name: String, requests: Int) async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch(name)
    } throws: {
      if case HubError.unreadableAnswer = $0 { true } else { false }
    }
    #expect(try await fixture.downloads().count == requests)
    #expect(fixture.waits.withLock { $0 }.isEmpty, "asking again would not help")
  }

  @Test func anOverloadedServerIsAskedAgain() async throws {
    let fixture = try HubFixture()
    try HubFixture.expectSound(try await fixture.fetch("busy"), size: 300_000)
    #expect(fixture.waits.withLock { $0 } == [1, 2])
    await #expect {
      try await fixture.fetch("limited")
    } throws: {
      if case HubError.refused(status: 429, _, _, _) = $0 { true } else { false }
    }
  }

  @Test func twoFetchesShareOneDownload() async throws {
    let fixture = try HubFixture()
    async let first = fixture.fetch("slow")
    async let second = fixture.fetch("slow")
    #expect(try await first == second)
    #expect(try await fixture.downloads().count == 1)
  }

  // MARK: - What is wrong

  @Test func aWrongChecksumLeavesNothing() async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch("damaged")
    } throws: {
      if case HubError.wrongChecksum(file: "m-Q4_K_M.gguf", _, _) = $0 { true } else { false }
    }
    #expect(fixture.blobs("damaged").isEmpty)
    try HubFixture.expectSound(try await fixture.fetch("damaged"), size: 300_000)
  }

  @Test func whatAnEarlierRunLeftIsCheckedToo() async throws {
    let fixture = try HubFixture()
    let blob = try await fixture.fetch("tiny").resolvingSymlinksInPath()
    let partial = blob.appendingPathExtension("incomplete")
    for (content, isWrong) in [(Data(repeating: 7, count: 1000), true), (Data(count: 300_001), false)] {
      try FileManager.default.removeItem(at: blob)
      try content.write(to: partial)
      if isWrong {
        await #expect(throws: HubError.self) { try await fixture.fetch("tiny") }
        #expect(fixture.blobs("tiny").isEmpty)
      }
      try HubFixture.expectSound(try await fixture.fetch("tiny"), size: 300_000)
    }
  }

  @Test func anotherRangeThanAskedForIsNotWritten() async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch("liar", fixture.hub(piece: 100_000))
    } throws: {
      if case HubError.unreadableAnswer = $0 { true } else { false }
    }
  }

  @Test func moreThanAnnouncedIsNotWritten() async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch("chatty")
    } throws: {
      if case HubError.unreadableAnswer = $0 { true } else { false }
    }
  }

  @Test func aDownloadThatCannotFitIsNotBegun() async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch("huge")
    } throws: {
      if case HubError.diskFull(_, needed: 1 << 60, .some, .hub) = $0 { true } else { false }
    }
    #expect(try await fixture.downloads().isEmpty)
  }

  @Test func aCacheThatCannotBeWrittenIsNamed() async throws {
    let fixture = try HubFixture()
    try Data().write(to: fixture.cache)
    await #expect {
      try await fixture.fetch("tiny")
    } throws: {
      guard case HubError.cannotWrite(let path, _, .hub) = $0 else { return false }
      return path.hasPrefix(fixture.cache.path)
    }
  }

  @Test(arguments: [
    ("absent/repo", false), ("acme/private", false), ("acme/private", true),
  ]) func aRepositoryThatIsNotShown(_ repository: String, hasToken: Bool) async throws {
    let fixture = try HubFixture()
    let hub = fixture.hub(token: hasToken ? "hf_other" : nil)
    await #expect(
      throws: HubError.noSuchRepository(
        repository, endpoint: fixture.server.url.absoluteString, hasToken: hasToken)
    ) { try await hub.path(of: try HubReference(parsing: "hf:" + repository)) }
  }

  @Test func theEndpointIsShownWithoutItsPassword() async throws {
    let fixture = try HubFixture()
    let shown = fixture.server.url.absoluteString
    let endpoint = try #require(URL(string: shown.replacing("http://", with: "http://me:secret@")))
    await #expect(throws: HubError.noSuchRepository("absent/repo", endpoint: shown, hasToken: false)) {
      try await fixture.hub(endpoint: endpoint).path(of: try HubReference(parsing: "hf:absent/repo"))
    }
  }

  @Test func gatedModelsNeedAToken() async throws {
    let fixture = try HubFixture()
    for token in [nil, "hf_other"] as [String?] {
      await #expect(
        throws: HubError.noAccess(
          repository: "acme/gated", endpoint: fixture.server.url.absoluteString, hasToken: token != nil,
          detail: "Access to model acme/gated is restricted.")
      ) { try await fixture.fetch("gated", fixture.hub(token: token)) }
    }
    try HubFixture.expectSound(
      try await fixture.fetch("gated", fixture.hub(token: "hf_good")), size: 300_000)
  }

  @Test func theTokenStaysWithTheHub() async throws {
    let fixture = try HubFixture()
    try HubFixture.expectSound(
      try await fixture.fetch("away", fixture.hub(token: "hf_good")), size: 300_000)
    let downloads = try await fixture.downloads()
    #expect(downloads.map(\.isContent) == [false, true])
    #expect(downloads.map(\.authorization) == ["Bearer hf_good", nil])
    #expect(downloads.map(\.range) == ["bytes=0-299999", "bytes=0-299999"])
  }

  @Test func redirectionsEnd() async throws {
    let fixture = try HubFixture()
    await #expect {
      try await fixture.fetch("circle")
    } throws: {
      if case HubError.network = $0 { true } else { false }
    }
    #expect(fixture.waits.withLock { $0 }.isEmpty, "asking again would not help")
  }

  @Test func whatTheRepositoryHasIsListed() async throws {
    let fixture = try HubFixture()
    await #expect(
      throws: HubError.noSuchQuantisation(
        "Q2_K", repository: "acme/tiny", available: ["F16", "Q5_K_M", "Q4_K_M", "Q8_0"])
    ) { try await fixture.fetch("tiny:Q2_K") }
    await #expect(throws: HubError.noModel(repository: "acme/nomodel", files: 1)) {
      try await fixture.fetch("nomodel")
    }
    await #expect {
      try await fixture.fetch("noise")
    } throws: {
      if case HubError.unreadableAnswer = $0 { true } else { false }
    }
  }
}
