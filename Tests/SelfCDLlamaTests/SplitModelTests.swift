import CLlama
import Foundation
import SelfCD
import Testing

@testable import SelfCDLlama

/// Writes a model as several files, as llama.cpp's gguf-split does.
private enum ModelSplitter {
  struct Failure: Error { let what: String }

  /// - Parameter metadataApart: whether the first part has no tensors, as with `--no-tensor-first-split`.
  /// - Returns: The parts' paths, the first one with all metadata.
  static func split(
    _ path: String, into folder: URL, parts count: Int, stem: String = "model", metadataApart: Bool = false
  ) throws -> [String] {
    var tensors: OpaquePointer?
    let opened = withUnsafeMutablePointer(to: &tensors) {
      gguf_init_from_file(path, gguf_init_params(no_alloc: false, ctx: $0))
    }
    let source = try #require(opened, "\(path) is no GGUF file")
    defer { gguf_free(source) }
    let context = try #require(tensors)
    defer { ggml_free(context) }
    let total = gguf_get_n_tensors(source)
    return try (0..<count).map { part in
      let file = try #require(gguf_init_empty())
      defer { gguf_free(file) }
      if part == 0 { gguf_set_kv(file, source) }
      gguf_set_val_u16(file, "split.no", UInt16(part))
      gguf_set_val_u16(file, "split.count", UInt16(count))
      gguf_set_val_i32(file, "split.tensors.count", Int32(total))
      let shares = Int64(metadataApart ? count - 1 : count)
      let share = Int64(metadataApart ? part - 1 : part)
      let own = (total * max(share, 0) / shares)..<(total * (share + 1) / shares)
      for index in own {
        gguf_add_tensor(file, try #require(ggml_get_tensor(context, gguf_get_tensor_name(source, index))))
      }
      let path = folder.appending(path: stem + String(format: "-%05d-of-%05d.gguf", part + 1, count)).path
      guard gguf_write_to_file(file, path, false) else { throw Failure(what: path) }
      return path
    }
  }
}

/// Models split over several files, with the real libllama.
@Suite struct SplitModelTests {
  @Test(arguments: [2, 3]) func aSplitModelAnswersAsTheWholeOne(parts: Int) async throws {
    let folder = try TemporaryFolder()
    let whole = try TestModel.path()
    let files = try ModelSplitter.split(whole, into: folder.url, parts: parts)
    #expect(files.count == parts && files.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    let options = LlamaOptions(contextSize: 256, lanes: 2)
    #expect(
      try MemoryEstimate(GGUFFile(path: files[0]), options: options).weights
        == MemoryEstimate(GGUFFile(path: whole), options: options).weights)
    var texts: [String] = []
    for path in [whole, files[0]] {
      let loaded = try await LoadedModel.load(path: path, options: options, stepMode: .batched)
      for question in TestModel.questions.prefix(2) {
        texts.append(
          try await loaded.chat.reply(to: Chat(question: question), strategy: SelfContrastive(alpha: 2)).text)
      }
    }
    #expect(texts[0] == texts[2] && texts[1] == texts[3] && texts.allSatisfy { !$0.isEmpty })
  }

  @Test(arguments: [false, true]) func allPartsTogetherAreTheModel(metadataApart: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try TestModel.path()
    let whole = try GGUFFile(path: path)
    let files = try ModelSplitter.split(path, into: folder.url, parts: 3, metadataApart: metadataApart)
    let first = try GGUFFile(path: files[0])
    let parts = try first.parts()
    #expect(parts.map(\.path) == files && first.tensors.isEmpty == metadataApart)
    #expect(try whole.parts().map(\.path) == [path])
    #expect(parts.reduce(0) { $0 + $1.parameterCount } == whole.parameterCount)
    #expect(parts.reduce(0) { $0 + $1.tensorBytes } == whole.tensorBytes)
    #expect(parts.flatMap(\.tensors).map(\.name).sorted() == whole.tensors.map(\.name).sorted())
    let options = LlamaOptions(contextSize: 128, lanes: 2)
    #expect(try MemoryEstimate(first, options: options) == MemoryEstimate(whole, options: options))
    let model = try LlamaModel(path: files[0], options: options)
    #expect(model.parameterCount == UInt64(whole.parameterCount))
    _ = try LlamaBackend(model: model, options: options, abort: AbortSignal())
  }

  @Test func onlyTheFirstPartIsTheModel() async throws {
    let folder = try TemporaryFolder()
    let files = try ModelSplitter.split(try TestModel.path(), into: folder.url, parts: 2)
    let second = await ModelFileTests.problem(files[1]) as? ModelFileError
    #expect(second == .notFirstSplit(path: files[1], index: 2, count: 2))
    // Commands estimate the memory before they load.
    #expect(throws: ModelFileError.notFirstSplit(path: files[1], index: 2, count: 2)) {
      try MemoryEstimate(GGUFFile(path: files[1]), options: LlamaOptions(contextSize: 128, lanes: 2))
    }
    #expect(second?.description.contains("is part 2 of 2. Give the path of part 1") == true)
  }

  @Test func everyPartHasToBeThere() async throws {
    let folder = try TemporaryFolder()
    let files = try ModelSplitter.split(try TestModel.path(), into: folder.url, parts: 3)
    try FileManager.default.removeItem(atPath: files[2])
    let missing = await ModelFileTests.problem(files[0]) as? ModelFileError
    #expect(missing == .missingSplit(path: files[2], index: 3, count: 3))
    #expect(missing?.description.contains(files[2]) == true)
    // A part that is cut off is one that is damaged.
    try Data("GGUF".utf8).write(to: URL(filePath: files[2]))
    #expect(await ModelFileTests.problem(files[0]) is ModelFileError)
  }

  @Test func theNameHasToSayWhichPartItIs() async throws {
    let folder = try TemporaryFolder()
    let files = try ModelSplitter.split(try TestModel.path(), into: folder.url, parts: 2)
    let renamed = folder.url.appending(path: "other.gguf").path
    try FileManager.default.moveItem(atPath: files[0], toPath: renamed)
    guard case .malformed(renamed, let reason)? = await ModelFileTests.problem(renamed) as? ModelFileError
    else {
      Issue.record("a part under another name is taken")
      return
    }
    #expect(reason.contains("-00001-of-00002.gguf"))
  }
}
