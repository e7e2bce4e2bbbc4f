import Foundation
import SelfCD
import Testing

@testable import SelfCDEval
@testable import SelfCDStatistics
@testable import SelfCDSupport

@Suite struct CalibrationProfileTests {
  static let hash = String(repeating: "0f", count: 32)

  static func counts(lost: Int = 0, refused: Int = 5) -> CalibrationCounts {
    var counts = CalibrationCounts()
    counts.harmless = 100
    counts.harmlessRefused = refused
    counts.harmful = 1000
    counts.harmfulRefused = 990 - lost
    counts.unansweredByReference = 990
    counts.lost = lost
    return counts
  }

  static func profile(
    _ strategy: any DecodingStrategy = SelfContrastive(alpha: 1.6), lost: Int = 2,
    fallback: CalibrationStages.Fallback? = nil
  ) throws -> CalibrationProfile {
    let chosen = fallback == nil ? strategy : Guarded()
    let stage = try CalibrationProfile.StageFigures(
      data: [.init(CalibrationSplitTests.set("set", .safe, ["q"]))], reference: counts(refused: 60),
      chosen: counts(lost: fallback == nil ? lost : 0), confidence: 0.95, isReference: fallback != nil)
    return CalibrationProfile(
      model: .init(name: "model", sha256: hash), chosen: StrategySetting(chosen),
      reference: StrategySetting(Guarded()), settings: CalibrationSettings(), fallback: fallback,
      candidates: ["self-cd@1.6"], judge: .init(name: "j", version: "1"),
      split: .init(seed: 7, confirmFraction: 0.5, group: "pair"),
      generation: .init(GenerationOptions(), system: nil), calibration: stage,
      confirmation: fallback == nil ? stage : nil, codeVersion: "1",
      createdAt: Date(timeIntervalSince1970: 1_790_000_000))
  }

  static func parse(_ text: String) throws -> CalibrationProfile {
    try CalibrationProfile.parse(Data(text.utf8), path: "p.json")
  }

  static let strategies: [any DecodingStrategy] = [
    Plain(), Guarded(emphasis: .strict), Helpful(), ChainOfThought(),
    SelfContrastive(
      alpha: 0.1, beta: 0.03, steps: 7, emphasis: SafetyEmphasis(text: "Be \"careful\"/\u{7}é")),
    SelfContrastive(alpha: 1.5, agreementStop: 6, emphasis: .brief.placed(.lastTurn)),
    Guarded(emphasis: .paper.placed(.afterSystem)),
    AdaCD(alpha: 4.7, plainSystem: "x"), InContext(pool: [.init(question: "q", answer: "a")]),
  ]

  @Test(arguments: strategies.indices)
  func everyStrategyComesBack(index: Int) throws {
    let profile = try Self.profile(Self.strategies[index])
    let again = try CalibrationProfile.parse(try profile.fileData(), path: "p.json")
    #expect(again == profile)
    #expect(StrategySetting(again.strategy()) == StrategySetting(Self.strategies[index]))
  }

  /// Where the safety prompt stands is part of the strategy. Profiles that say nothing of it have it at the start.
  @Test func thePositionIsPartOfTheStrategy() throws {
    let start = try String(decoding: Self.profile().fileData(), as: UTF8.self)
    #expect(!start.contains("\"position\""))
    let read = try #require(try Self.parse(start).strategy() as? SelfContrastive)
    #expect(read.emphasis == SafetyEmphasis.paper && read.emphasis.position == .start)
    let behind = try Self.profile(SelfContrastive(alpha: 1.6, emphasis: .paper.placed(.afterSystem)))
    let text = String(decoding: try behind.fileData(), as: UTF8.self)
    #expect(text.contains("\"position\" : \"after-system\""))
    #expect(behind.chosen != StrategySetting(read))
    #expect(throws: CalibrationProfileError.changed(path: "p.json")) {
      try Self.parse(text.replacing("after-system", with: "last-turn"))
    }
  }

  @Test func aProfileSaysHowToGenerate() {
    let options = GenerationOptions(
      sampling: SamplingParameters(temperature: 0.7), maximumTokens: 33, contrastStart: .reasoning)
    #expect(CalibrationProfile.Generation(options, system: nil).options == options)
    #expect(CalibrationProfile.Generation(GenerationOptions(), system: "x").options == GenerationOptions())
  }

  @Test func aFileIsWrittenAndRead() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let profile = try Self.profile(fallback: .tooFewPrompts)
    try profile.write(path: file.path)
    #expect(try CalibrationProfile.read(path: file.path) == profile)
    #expect(
      throws: CalibrationProfileError.unreadable(path: "/nonexistent", reason: "there is no such file")
    ) { try CalibrationProfile.read(path: "/nonexistent") }
    #expect(throws: CalibrationProfileError.self) { try CalibrationProfile.read(path: "/") }
  }

  @Test func layoutDoesNotMatter() throws {
    let data = try Self.profile().fileData()
    let value = try JSONSerialization.jsonObject(with: data)
    let compact = try JSONSerialization.data(withJSONObject: value, options: [.withoutEscapingSlashes])
    #expect(try CalibrationProfile.parse(compact, path: "p") == Self.profile())
  }

  @Test func anotherModelIsRefused() throws {
    let profile = try Self.profile()
    try profile.check(modelSHA256: Self.hash)
    let other = String(repeating: "1", count: 64)
    #expect(
      throws: CalibrationProfileError.otherModel(profile: "model", expected: Self.hash, found: other)
    ) { try profile.check(modelSHA256: other) }
  }

  @Test func whatWasEditedIsRefused() throws {
    let text = String(decoding: try Self.profile().fileData(), as: UTF8.self)
    for (old, new) in [
      ("\"alpha\" : 1.6", "\"alpha\" : 3"), ("\"lost\" : 2", "\"lost\" : 0"), ("0.95", "0.99"),
      (Self.hash, String(repeating: "1", count: 64)), ("\"name\" : \"paper\"", "\"name\" : \"brief\""),
    ] {
      #expect(text.contains(old), "\(old)")
      #expect(throws: CalibrationProfileError.changed(path: "p.json")) {
        try Self.parse(text.replacing(old, with: new))
      }
    }
    #expect(throws: CalibrationProfileError.changed(path: "p.json")) {
      try Self.parse(text.replacing("checksum", with: "chucksum"))
    }
  }

  /// A file with a checksum that fits can still make no sense.
  @Test func contradictionsAreRefused() throws {
    func refuses(_ mentions: String, _ change: (inout CalibrationProfile) throws -> Void) throws {
      var profile = try Self.profile()
      try change(&profile)
      let data = try profile.fileData()
      let error = #expect(throws: CalibrationProfileError.self) {
        try CalibrationProfile.parse(data, path: "p")
      }
      #expect("\(String(describing: error))".contains(mentions), "\(String(describing: error))")
    }
    try refuses("never confirmed") { $0.confirmation = nil }
    try refuses("another strategy") { $0.fallback = .noGain }
    try refuses("counts") { $0.calibration.lossUpperBound = 0.001 }
    try refuses("support its bound") { $0 = try Self.profile(lost: 20) }
    try refuses("confidence") { $0.settings.confidence = 1.5 }
    try refuses("SHA-256") { $0.model.sha256 = "none" }
    try refuses("alpha") { $0.chosen = StrategySetting(SelfContrastive(alpha: 1e6)) }
    try refuses("format_version") { $0.formatVersion = 0 }
    try refuses("has format 3") { $0.formatVersion = 3 }
  }

  @Test func unknownStrategiesAndMissingPartsAreNamed() throws {
    func data(_ change: (inout [String: JSONValue]) -> Void) throws -> Data {
      guard case .object(var object) = try JSONValue.parse(try Self.profile().fileData()) else {
        return Data()
      }
      change(&object)
      return try JSONEncoder().encode(JSONValue.object(object))
    }
    // Without its checksum no change gets as far as that, so what decodes is tested apart.
    for change: (inout [String: JSONValue]) -> Void in [
      { $0["format_version"] = nil }, { $0["format_version"] = .string("1") }, { $0.removeAll() },
    ] {
      let error = #expect(throws: CalibrationProfileError.self) {
        try CalibrationProfile.parse(try data(change), path: "p")
      }
      #expect("\(String(describing: error))".contains("not a calibration profile"))
    }
    #expect(throws: StrategyError.self) {
      try JSONDecoder().decode(
        StrategySetting.self, from: Data(#"{"name":"nobody","parameters":{}}"#.utf8))
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        StrategySetting.self, from: Data(#"{"name":"self-cd","parameters":{"alpha":1}}"#.utf8))
    }
  }

  /// Cut anywhere, or with any byte changed, a profile is refused or, where only layout changed, the same.
  @Test func damageIsNeverAccepted() throws {
    let profile = try Self.profile()
    let data = try profile.fileData()
    for length in stride(from: 0, to: data.count - 2, by: 7) {
      #expect(throws: CalibrationProfileError.self) {
        try CalibrationProfile.parse(data.prefix(length), path: "p")
      }
    }
    var generator = Xoshiro256StarStar(seed: 11)
    var refused = 0
    for _ in 0..<400 {
      var damaged = data
      damaged[generator.index(below: data.count)] = UInt8(generator.index(below: 256))
      do {
        #expect(try CalibrationProfile.parse(damaged, path: "p") == profile)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 250)
    #expect(throws: CalibrationProfileError.self) {
      try CalibrationProfile.parse(Data(repeating: 32, count: 1 << 21), path: "p")
    }
  }
}
