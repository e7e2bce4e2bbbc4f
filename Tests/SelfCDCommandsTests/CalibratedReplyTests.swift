import Foundation
import Testing

@testable import SelfCDCommands

/// What `generate --json` and a server call calibrated: replies under the conditions of the embedded model's profile, and
/// no others.
@Suite struct CalibratedReplyTests {
  struct Reply: Decodable {
    let profile: String?
    let calibrated: Bool
    let uncalibratedBecause: [String]?
  }

  static let turns = #"""
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "How do I shoot a portrait?"}]
    """#

  @Test(
    arguments: [
      ([], []), (["--top-p", "0.5", "--stop", "§"], []), (["--temperature", "2"], ["temperature"]),
      (
        ["--temperature", "2", "--top-k", "5", "--system", "Be brief."],
        ["temperature", "filters", "system"]
      ),
      (["--repetition-penalty", "1.5"], ["repetition_penalty"]),
      (["-n", "220", "--ignore-eos"], ["ignore_eos", "max_tokens"]), (["-n", "400"], []),
      (["-s", "plain", "--temperature", "2"], nil),
    ] as [([String], [String]?)])
  func generateSaysWhatDiffers(arguments: [String], because: [String]?) throws {
    let outcome = try CommandLineTests.run(["generate", "--json", CommandLineTests.question] + arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let reply = try CommandLineTests.decoder.decode(Reply.self, from: Data(outcome.output.utf8))
    #expect((reply.profile != nil) == (because != nil))
    #expect(reply.calibrated == (because == []), "\(arguments)")
    #expect(reply.uncalibratedBecause == (because == [] ? nil : because), "\(arguments)")
  }

  @Test func earlierTurnsAreNoSingleQuestion() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "chat-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(Self.turns.utf8).write(to: file)
    let outcome = try CommandLineTests.run(["generate", "--json", "--messages", file.path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let reply = try CommandLineTests.decoder.decode(Reply.self, from: Data(outcome.output.utf8))
    #expect(!reply.calibrated && reply.uncalibratedBecause == ["messages"])
    #expect(outcome.errors.contains("single questions (here earlier turns, too)"), "\(outcome.errors)")
  }

  /// The note is read at every command, so it is short.
  @Test func theProfilesNoteIsShort() throws {
    let outcome = try CommandLineTests.run(["generate", CommandLineTests.question])
    let note = try #require(outcome.errors.split(separator: "\n").first { $0.contains("profile ") })
    let words = note.split(separator: " ").drop { $0 != "profile" }
    #expect(words.count <= 25 && note.hasSuffix("(docs/calibration.md)."), "\(note)")
  }
}
