import Foundation
import SelfCDEval
import SelfCDJudges
import SelfCDRuns
import Testing

@testable import SelfCDCommands

/// What commands record of a model in several files.
@Suite struct SplitModelRecordTests {
  /// A model in two parts, `m-00001-of-00002.gguf` and so on: headers and zeros, which is all that is read here.
  private final class Place {
    let folder: URL

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-split-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      // Eight numbers of type f32 in the first part, of type f16 in the second.
      try write(part: 1, tensorType: 0)
      try write(part: 2, tensorType: 1)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(part: Int) -> String { folder.appending(path: "m-0000\(part)-of-00002.gguf").path }

    func write(part: Int, tensorType: UInt32, filler: UInt8 = 0) throws {
      func number(_ value: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: value.littleEndian) { Data($0) }
      }
      func text(_ text: String) -> Data { number(UInt64(text.utf8.count)) + Data(text.utf8) }
      var file = Data("GGUF".utf8) + number(UInt32(3)) + number(UInt64(1)) + number(UInt64(4))
      for (key, value) in [("general.architecture", "llama"), ("general.name", "Halves")] {
        file += text(key) + number(UInt32(8)) + text(value)
      }
      for (key, value) in [("split.count", UInt16(2)), ("split.no", UInt16(part - 1))] {
        file += text(key) + number(UInt32(2)) + number(value)
      }
      file += text("t\(part)") + number(UInt32(1)) + number(UInt64(8)) + number(tensorType)
      file += number(UInt64(0))
      file += Data(repeating: filler, count: 128)
      try file.write(to: URL(filePath: path(part: part)))
    }

    func bytes(part: Int) throws -> Int { try Data(contentsOf: URL(filePath: path(part: part))).count }
  }

  @Test func aRunDescribesAllParts() throws {
    let place = try Place()
    let model = try ModelFile(describing: place.path(part: 1), adapters: [])
    #expect(model.name == "Halves")
    #expect(model.metadata["tensor_types"] == "f16,f32")
    #expect(try model.metadata["bytes"] == String(place.bytes(part: 1) + place.bytes(part: 2)))
    try FileManager.default.removeItem(atPath: place.path(part: 2))
    let error = #expect(throws: (any Error).self) {
      try ModelFile(describing: place.path(part: 1), adapters: [])
    }
    #expect(error.map { "\($0)".contains(place.path(part: 2)) } == true)
  }

  @Test func aJudgeIsNamedAfterAllParts() async throws {
    let place = try Place()
    func name() async throws -> String {
      try await ModelJudge.local(
        place.path(part: 1), budget: JudgeSpendingLimit(), console: .standard
      ).model
    }
    let first = try await name()
    let hash = try ModelIdentity(path: place.path(part: 1)).sha256.prefix(12)
    #expect(first == "local/m-00001-of-00002@\(hash)")
    try place.write(part: 2, tensorType: 1, filler: 1)
    #expect(try await name() != first, "verdicts of another model are not to be taken over")
    try FileManager.default.removeItem(atPath: place.path(part: 2))
    await #expect(throws: (any Error).self) { try await name() }
  }
}
