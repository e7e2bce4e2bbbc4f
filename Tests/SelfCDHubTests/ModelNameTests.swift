import Foundation
import SelfCDHub
import Testing

/// Models by their names, as a Swift program asks for them.
@Suite struct ModelNameTests {
  @Test func namesStandForModels() throws {
    #expect(ModelName.known == ["organism", "organism-unbiased", "smollm2"])
    #expect(try ModelName("smollm2").kind == .pinned(.smollm2))
    #expect(try ModelName("hf:acme/tiny:F16").kind == .hub(HubReference(parsing: "hf:acme/tiny:F16")))
    for name in ["organism", "organism-unbiased"] {
      guard case .embedded = try ModelName(name).kind else {
        Issue.record("\(name) is not embedded")
        continue
      }
    }
    for path in ["model.gguf", "/a/b", "~/m", "smolm", "acme/tiny"] {
      #expect(try ModelName(path).kind == .file && ModelName(path).description == path)
    }
    #expect(throws: HubError.self) { try ModelName("hf:nonsense") }
  }

  @Test func embeddedModelsAreThere() async throws {
    let biased = try await ModelName("organism").path()
    let unbiased = try await ModelName("organism-unbiased").path()
    for path in [biased, unbiased] { #expect(FileManager.default.fileExists(atPath: path)) }
    #expect(biased != unbiased)
  }

  @Test func modelsOfTheHubAreFetched() async throws {
    let fixture = try HubFixture()
    let environment = [
      "HF_ENDPOINT": fixture.server.url.absoluteString, "HF_HUB_CACHE": fixture.cache.path,
    ]
    let path = try await ModelName("hf:acme/tiny").path(environment: environment) { event in
      fixture.events.withLock { $0.append(event) }
    }
    try HubFixture.expectSound(URL(filePath: path), size: 300_000)
    #expect(fixture.events.withLock { $0.last } == .progress(received: 300_000, total: 300_000))
    let offline = environment.merging(["HF_HUB_OFFLINE": "1"]) { $1 }
    #expect(try await ModelName("hf:acme/tiny").path(environment: offline) == path)
    await #expect(
      throws: HubError.notCached(
        reference: "smollm2", cache: fixture.cache.appending(path: "models/smollm2").path, available: [])
    ) {
      try await ModelName("smollm2").path(
        environment: ["SELFCD_CACHE": fixture.cache.path, "HF_HUB_OFFLINE": "1"])
    }
  }

  @Test func pathsStayWhatTheyAre() async throws {
    let home = ["HOME": "/home/me"]
    // Whether there is a model is found out when it is loaded.
    for path in ["nowhere.gguf", "/nowhere/model", "./model", "a/b/c", "some folder/model"] {
      #expect(try await ModelName(path).path(environment: home) == path)
    }
    #expect(try await ModelName("~/m.gguf").path(environment: home) == "/home/me/m.gguf")
  }

  @Test(arguments: [
    ("smolm", "smollm2"), ("SmolLM2", "smollm2"), ("smollm3", "smollm2"), ("organsim", "organism"),
    ("organism_unbiased", "organism-unbiased"), ("acme/tiny-GGUF", "hf:acme/tiny-GGUF"), ("zzzzzzzz", nil),
  ]) func aWordThatIsNoNameIsCorrected(_ text: String, _ suggestion: String?) async throws {
    let error = await #expect(throws: HubError.noSuchModel(text, suggestion: suggestion)) {
      try await ModelName(text).path()
    }
    let shown = try #require(error).description
    #expect(shown.contains("'\(text)'") && shown.contains("organism, organism-unbiased, smollm2"))
    #expect(shown.contains("hf:OWNER/REPO"))
    #expect(shown.contains("Did you mean") == (suggestion != nil))
    if let suggestion { #expect(shown.contains("Did you mean '\(suggestion)'?")) }
  }
}
