import Foundation
import SelfCD
import SelfCDLlama
import Testing

/// Files that are not what they should be: an error, never a crash.
@Suite struct ModelFileTests {
  static let sound: Data = (try? Data(contentsOf: URL(filePath: (try? TestModel.path()) ?? ""))) ?? Data()

  /// Loads and decodes; returns what went wrong.
  static func problem(_ path: String) async -> (any Error)? {
    do {
      let loaded = try await LoadedModel.load(
        path: path, options: .init(contextSize: 128, lanes: 2), stepMode: .batched)
      _ = try await loaded.chat.reply(
        to: Chat(question: "hi"), strategy: SelfContrastive(), options: .init(maximumTokens: 2))
      return nil
    } catch { return error }
  }

  @Test func theSoundFileIsSound() async {
    #expect(Self.sound.count > 100_000)
    let problem = await Self.problem((try? TestModel.path()) ?? "")
    #expect(problem == nil)
  }

  @Test func missingFolderAndEmpty() async throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appending(path: "none.gguf").path
    #expect(await Self.problem(missing) as? ModelFileError == .notFound(path: missing))
    #expect(await Self.problem(folder.url.path) as? ModelFileError == .isDirectory(path: folder.url.path))
    let empty = try folder.write(Data(), as: "empty.gguf")
    #expect(await Self.problem(empty) is ModelFileError)
  }

  @Test func truncatedAtManyLengths() async throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(seed: 7)
    let lengths =
      [1, 3, 4, 8, 23, 24, 100]
      + (0..<40).map { _ in Int.random(in: 1..<Self.sound.count, using: &generator) }
      + (0..<40).map { _ in Int.random(in: 1..<70_000, using: &generator) } + [Self.sound.count - 1]
    for length in lengths {
      let path = try folder.write(Self.sound.prefix(length), as: "cut.gguf")
      #expect(await Self.problem(path) is ModelFileError, "cut at \(length)")
    }
  }

  @Test func randomBytes() async throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(seed: 8)
    for round in 0..<60 {
      var bytes = Data(
        (0..<Int.random(in: 1..<5000, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        })
      if round % 2 == 0 {
        bytes.replaceSubrange(0..<min(8, bytes.count), with: Data("GGUF\u{3}\0\0\0".utf8.prefix(bytes.count)))
      }
      let path = try folder.write(bytes, as: "random.gguf")
      #expect(await Self.problem(path) is ModelFileError)
    }
  }

  /// One to four flipped bits in the header: the file may still work, or be refused; the process lives.
  @Test func flippedBitsInTheHeader() async throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(seed: 9)
    let names = Self.sound.range(of: Data("tokenizer.ggml.tokens".utf8))?.lowerBound ?? 1000
    let tensors = Self.sound.range(of: Data("output_norm.weight".utf8))?.lowerBound ?? 60_000
    var refused = 0
    for _ in 0..<150 {
      var bytes = Self.sound
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let region = Bool.random(using: &generator) ? 0..<names : (tensors - 2000)..<(tensors + 500)
        bytes[Int.random(in: region, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
      let path = try folder.write(bytes, as: "flipped.gguf")
      if await Self.problem(path) != nil { refused += 1 }
    }
    #expect(refused > 50)
  }

  @Test func flippedBitsInTheWeights() async throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(seed: 10)
    for _ in 0..<10 {
      var bytes = Self.sound
      for _ in 0..<300 {
        bytes[Int.random(in: 100_000..<bytes.count, using: &generator)] ^=
          1 << UInt8.random(in: 0..<8, using: &generator)
      }
      let problem = await Self.problem(try folder.write(bytes, as: "weights.gguf"))
      if let problem {
        #expect(problem is GenerationError || problem is ModelFileError || problem is LlamaError)
      }
    }
  }

  @Test func weightsOfNaNAreAnError() async throws {
    let folder = try TemporaryFolder()
    var bytes = Self.sound
    let start = bytes.count - 400_000
    for index in stride(from: start, to: bytes.count, by: 1) { bytes[index] = 0xFF }
    let path = try folder.write(bytes, as: "nan.gguf")
    #expect(await Self.problem(path) is GenerationError)
    await #expect(throws: LlamaError.self) {
      try await LoadedModel.load(path: path, options: .init(contextSize: 128, lanes: 2, checkTensors: true))
    }
  }

  static func replacing(_ old: String, with new: String, limit: Int = .max) -> Data {
    var bytes = sound
    var count = 0
    while count < limit, let range = bytes.range(of: Data(old.utf8)) {
      bytes.replaceSubrange(range, with: Data(new.utf8))
      count += 1
    }
    return bytes
  }

  @Test func wrongArchitecture() async throws {
    let folder = try TemporaryFolder()
    // Same length, so that the header stays well-formed.
    let unknown = try folder.write(Self.replacing("llama", with: "lemma"), as: "unknown.gguf")
    #expect(await Self.problem(unknown) is LlamaError)
    let other = try folder.write(Self.replacing("llama", with: "bloom"), as: "other.gguf")
    #expect(await Self.problem(other) is LlamaError)
  }

  @Test(.enabled(if: LlamaSources.models != nil, Comment(rawValue: LlamaSources.skipReason)))
  func vocabularyOnly() async throws {
    let path = try #require(LlamaSources.models).appending(path: "ggml-vocab-llama-bpe.gguf").path
    #expect(await Self.problem(path) is LlamaError)
    #expect(
      await Self.problem(try #require(LlamaSources.models).appending(path: "ggml-vocab-bert-bge.gguf").path)
        is LlamaError)
  }

  /// Vocabularies on which libllama asserts, or throws where nothing catches.
  @Test func vocabulariesThatLibllamaCannotTake() async throws {
    let folder = try TemporaryFolder()
    let none = Self.replacing("gpt2", with: "none")
    #expect(await Self.problem(try folder.write(none, as: "none.gguf")) is LlamaError)
    // The token "!" becomes a second "#".
    let twice = Self.replacing("\u{1}\0\0\0\0\0\0\0!", with: "\u{1}\0\0\0\0\0\0\0#", limit: 1)
    #expect(await Self.problem(try folder.write(twice, as: "twice.gguf")) is ModelFileError)
    let spm = VocabularyFile(model: "llama", tokens: [("<s>", .control), ("a", .normal)])
    #expect(await Self.problem(try folder.write(spm.data, as: "spm.gguf")) is LlamaError)
  }

  /// libllama reads texts up to their first zero byte and names empty ones itself.
  @Test(arguments: [["a\0b", "a\0c"], ["", "[EMPTY_0]"], ["\0", "b", "[EMPTY_0]"], ["a", "a"]])
  func textsThatAreEqualToLibllama(tokens: [String]) throws {
    let folder = try TemporaryFolder()
    let file = VocabularyFile(model: "gpt2", tokens: tokens.map { ($0, .normal) })
    let path = try folder.write(file.data, as: "vocabulary.gguf")
    #expect(throws: ModelFileError.self) { try LlamaModel(vocabularyOf: path) }
  }

  @Test func theWholeModelIsCheckedLikewise() async throws {
    let folder = try TemporaryFolder()
    // Two tokens of one byte that differ become such as differ behind a zero byte only.
    var bytes = Self.replacing("\u{2}\0\0\0\0\0\0\0in", with: "\u{2}\0\0\0\0\0\0\0\0n", limit: 1)
    bytes.replaceSubrange(
      try #require(bytes.range(of: Data("\u{2}\0\0\0\0\0\0\0re".utf8))), with: "\u{2}\0\0\0\0\0\0\0\0e".utf8)
    // Empty to libllama, which gives each a name of its own.
    #expect(await !(Self.problem(try folder.write(bytes, as: "empty.gguf")) is ModelFileError))
  }

  @Test func aPartNumberOutOfRange() async throws {
    let folder = try TemporaryFolder()
    var header = Data("GGUF".utf8)
    func number(_ value: some FixedWidthInteger) -> Data {
      withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }
    func text(_ text: String) -> Data { number(UInt64(text.utf8.count)) + Data(text.utf8) }
    header += number(UInt32(3)) + number(UInt64(1)) + number(UInt64(3))
    header += text("general.architecture") + number(UInt32(8)) + text("llama")
    header += text("split.count") + number(UInt32(2)) + number(UInt16(3))
    header += text("split.no") + number(UInt32(10)) + number(UInt64.max)
    header += text("t") + number(UInt32(1)) + number(UInt64(8)) + number(UInt32(0)) + number(UInt64(0))
    header += Data(count: 256)
    #expect(await Self.problem(try folder.write(header, as: "split.gguf")) is ModelFileError)
  }

  @Test func absurdSizesDoNotOverflowTheEstimate() throws {
    let file = try GGUFFile(path: TestModel.path())
    let estimate = try MemoryEstimate(
      file, options: .init(contextSize: 1 << 24, lanes: 256, batchSize: 65_536))
    #expect(estimate.total > 0)
  }

  @Test func aNameAloneMakesNoPartOfASplitModel() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sound, as: "model-00002-of-00003.gguf")
    // The file does not say it is split; its name alone decides nothing.
    #expect(await Self.problem(path) == nil)
  }

  @Test func optionsOutOfRange() throws {
    #expect(throws: LlamaError.self) { try LlamaOptions(threads: 0).validate() }
    #expect(throws: LlamaError.self) { try LlamaOptions(contextSize: 1).validate() }
    #expect(throws: LlamaError.self) { try LlamaOptions(lanes: 0).validate() }
    #expect(throws: LlamaError.self) { try LlamaOptions(lanes: 1_000_000).validate() }
    #expect(throws: LlamaError.self) { try LlamaOptions(lanes: 8, batchSize: 4).validate() }
    #expect(throws: LlamaError.self) { try LlamaOptions(cacheTypeV: .q80, flashAttention: .off).validate() }
  }

  @Test func loadingCanBeCancelled() async throws {
    await #expect(throws: LlamaError.loadCancelled(path: try TestModel.path())) {
      try await LoadedModel.load(path: try TestModel.path()) { _ in false }
    }
  }

  @Test func memoryIsEstimated() throws {
    let file = try GGUFFile(path: TestModel.path())
    let one = try MemoryEstimate(file, options: .init(contextSize: 256, lanes: 1))
    let four = try MemoryEstimate(file, options: .init(contextSize: 256, lanes: 4))
    #expect(one.weights == file.tensorBytes && one.weights > 0)
    #expect(four.cache == 4 * one.cache && one.cache > 0)
    let quantised = try MemoryEstimate(
      file, options: .init(contextSize: 256, lanes: 4, cacheTypeK: .q80, cacheTypeV: .q80))
    #expect(quantised.cache < four.cache * 6 / 10)
  }
}
