import Foundation
import SelfCD

/// One measurement as a line of JSON, for `session.py`.
struct Record: Encodable {
  var kind: String
  var model: String
  var mode: String
  /// How the engine steps two lanes; nothing where there is no engine.
  var stepMode: StepMode?
  var threads: Int
  var seed: UInt64
  var promptTokens: Int
  var newTokens: Int
  var seconds: Double
  var cpuSeconds: Double
  var firstTokenSeconds: Double
  var peakMemory: Int
  var tokens: [Int32]

  func write(to path: String?) throws {
    guard let path else { return }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try encoder.encode(self) + [10]
    let url = URL(fileURLWithPath: path)
    guard let file = FileHandle(forUpdatingAtPath: path) else { return try line.write(to: url) }
    defer { try? file.close() }
    try file.seekToEnd()
    try file.write(contentsOf: line)
  }
}
