import Foundation
import SelfCD
import SelfCDEval
import SelfCDSupport
import Testing

@Suite struct ModelIdentityTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-identity-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["model", "first", "second"] {
      try Data(name.utf8).write(to: folder.appending(path: name))
    }
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func hash(_ adapters: [ModelAdapter]) throws -> String {
    try ModelIdentity(path: path("model"), adapters: adapters).sha256
  }

  @Test func withoutAdaptersItIsTheFilesOwn() throws {
    // printf model | sha256sum
    #expect(try hash([]) == "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4")
  }

  /// The same text through `sha256sum`, so that the format cannot change unseen: profiles depend on it.
  @Test func withAdaptersItIsThatOfTheList() throws {
    let adapters = [ModelAdapter(.lora, path: path("first"), scale: 0.5)]
    let first = try FileDigest.sha256(ofFile: path("first"))
    let text = "selfcd-model-1\n\(try hash([]))\nlora \(first) 0.5"
    try Data(text.utf8).write(to: folder.appending(path: "list"))
    #expect(try hash(adapters) == FileDigest.sha256(ofFile: path("list")))
  }

  @Test func everythingThatChangesTheModelChangesIt() throws {
    let lora = ModelAdapter(.lora, path: path("first"))
    let vector = ModelAdapter(.controlVector, path: path("second"))
    var scaled = lora
    scaled.scale = 2
    var ranged = vector
    ranged.layers = 1...3
    let all = try [[], [lora], [scaled], [vector], [ranged], [lora, vector], [lora, lora]].map(hash)
    #expect(Set(all).count == all.count)
    #expect(try hash([lora, vector]) == hash([vector, lora]))
    // Where a file lies and what it is called makes no difference.
    try FileManager.default.copyItem(atPath: path("first"), toPath: path("copy"))
    #expect(try hash([.init(.lora, path: path("copy"))]) == hash([lora]))
  }
}
