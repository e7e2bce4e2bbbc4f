import SelfCDLlama
import Testing

/// How many lanes memory holds, known before the model is loaded.
@Suite struct LaneFitTests {
  static func file() throws -> GGUFFile { try GGUFFile(path: try TestModel.path()) }

  @Test(
    arguments: [
      (10, 2...64, 10, false), (100, 2...64, 64, false), (1, 3...64, 3, true), (3, 3...3, 3, false),
    ] as [(Int, ClosedRange<Int>, Int, Bool)])
  func asManyLanesAsMemoryHolds(
    room: Int, lanes: ClosedRange<Int>, expected: Int, isTight: Bool
  ) throws {
    let file = try Self.file()
    let one = try MemoryEstimate(file, options: LlamaOptions(contextSize: 256, lanes: 1))
    let memory = one.weights + one.compute + room * one.cache + one.cache / 2
    let fit = try LaneFit(file, context: 256, lanes: lanes, memory: memory)
    #expect(fit.options.lanes == expected && fit.isTight == isTight)
    #expect(fit.options.contextSize == 256 && fit.options.batchSize == 512)
  }

  @Test func theFewestAreUsedWhateverMemoryHolds() throws {
    let fit = try LaneFit(Self.file(), context: 256, lanes: 2...8, memory: 0)
    #expect(fit.options.lanes == 2 && fit.isTight)
    #expect(try LaneFit(Self.file(), context: 256, lanes: 2...8).options.lanes <= 8)
  }

  @Test func theOptionsStayAsTheyAreOtherwise() throws {
    let file = try Self.file()
    let given = LlamaOptions(
      threads: 1, contextSize: 128, batchSize: 16, flashAttention: .off, unifiedCache: true)
    let fit = try LaneFit(file, options: given, context: 4096, lanes: 64...64, memory: Int.max)
    var expected = given
    expected.lanes = 64
    expected.batchSize = 64
    #expect(fit.options == expected)
    let trained = try #require(file.hyperparameter("context_length")?.integer)
    #expect(try LaneFit(file, context: 1 << 20, lanes: 1...1).options.contextSize == trained)
  }
}
