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

  // MARK: Split models

  private func write(_ texts: [String], folder name: String, count: Int? = nil) throws -> [URL] {
    let folder = folder.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return try texts.enumerated().map { index, text in
      let ending = String(format: "-%05d-of-%05d.gguf", index + 1, count ?? texts.count)
      let file = folder.appending(path: "m" + ending)
      try Data(text.utf8).write(to: file)
      return file
    }
  }

  /// The same text through `sha256sum`, so that the format cannot change unseen.
  @Test func everyPartOfASplitModelCounts() throws {
    let parts = try write(["a", "b", "c"], folder: "split")
    let lines = try parts.map { try FileDigest.sha256(ofFile: $0.path) }
    let text = (["selfcd-parts-1"] + lines).joined(separator: "\n")
    try Data(text.utf8).write(to: folder.appending(path: "list"))
    let identity = try ModelIdentity(path: parts[0].path)
    #expect(try identity.sha256 == FileDigest.sha256(ofFile: path("list")))
    // printf 'selfcd-parts-1\n%s\n%s\n%s' A B C | sha256sum, with sha256sum's own hashes of a, b and c
    #expect(identity.file == "2a8888fbc070d9d1d52cd761dbe646a8c67633be38aa50bf1ff5518009ec6814")

    let texts = [["a", "b", "d"], ["a", "c", "b"], ["b", "b", "c"], ["a", "b"], ["a", "b", "c", "d"]]
    let others = try texts.enumerated().map { index, texts in
      try ModelIdentity(path: write(texts, folder: "other-\(index)")[0].path).file
    }
    #expect(Set(others + [identity.file]).count == texts.count + 1)

    let adapted = try ModelIdentity(path: parts[0].path, adapters: [.init(.lora, path: path("first"))])
    #expect(adapted.file == identity.file && adapted.sha256 != identity.sha256)
  }

  @Test func aNameAloneMakesNoPartOfASplitModel() throws {
    let alone = try write(["a"], folder: "alone", count: 3)[0]
    #expect(try ModelIdentity(path: alone.path).file == FileDigest.sha256(ofFile: alone.path))
    let single = try write(["a"], folder: "single")[0]
    #expect(try ModelIdentity(path: single.path).file == FileDigest.sha256(ofFile: single.path))
    // A later part is no model; libllama's own check refuses it.
    let second = try write(["a", "b"], folder: "two")[1]
    #expect(try ModelIdentity(path: second.path).file == FileDigest.sha256(ofFile: second.path))
    // An adapter is one file whatever it is called.
    let lora = ModelAdapter(.lora, path: try write(["first", "b"], folder: "lora")[0].path)
    #expect(try hash([lora]) == hash([.init(.lora, path: path("first"))]))
  }

  @Test func aPartThatIsMissingIsAnError() throws {
    let parts = try write(["a", "b", "c"], folder: "cut")
    try FileManager.default.removeItem(at: parts[1])
    let error = #expect(throws: ModelIdentity.MissingPart.self) { try ModelIdentity(path: parts[0].path) }
    #expect(error?.description.contains("part 2, \(parts[1].path), is missing") == true)
  }
}
