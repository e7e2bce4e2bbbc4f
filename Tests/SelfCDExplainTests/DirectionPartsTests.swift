import SelfCDData
import Testing

@testable import SelfCDExplain

/// How prompts are shared out to learn from, select on and compare.
@Suite struct DirectionPartsTests {
  /// `count` prompts of each label, in groups of `size` that have prompts of every label.
  static func datasets(_ count: Int, groupsOf size: Int) -> [Dataset] {
    Sample.Label.allCases.map { label in
      Dataset(
        name: label.rawValue, sha256: "", format: "test",
        samples: (0..<count).map { index in
          Sample(
            id: "\(index)", content: .text("prompt \(index)"), label: label, labelOrigin: .row,
            fields: ["template": "t\(index / size)"], position: .line(index + 1))
        })
    }
  }

  static func settings(group: String?) -> DirectionStudy.Settings {
    var settings = DirectionStudy.Settings()
    settings.group = group
    settings.seed = 5
    return settings
  }

  private static let parts: [DirectionStudy.Part] = [.training, .validation, .test]

  @Test func smallSetsAreSharedOutInQuarters() throws {
    let split = try DirectionStudy.split(Self.datasets(48, groupsOf: 4), Self.settings(group: nil))
    for label in Sample.Label.allCases {
      #expect(Self.parts.map { split.items[label]?[$0]?.count } == [24, 12, 12])
      let keys = Self.parts.flatMap { split.items[label]?[$0] ?? [] }.map(\.key)
      #expect(Set(keys).count == 48)
    }
    #expect(split.counts.allSatisfy { $0.groups == nil })
    let again = try DirectionStudy.split(Self.datasets(48, groupsOf: 4), Self.settings(group: nil))
    #expect(again.test(.safe).map(\.key) == split.test(.safe).map(\.key))
  }

  /// What a vector was made from or selected by must not come back in the comparison, in other words or with another label.
  @Test func aGroupIsInOnePartOnly() throws {
    let split = try DirectionStudy.split(Self.datasets(80, groupsOf: 4), Self.settings(group: "Template"))
    var parts: [String: Set<DirectionStudy.Part>] = [:]
    for label in Sample.Label.allCases {
      for part in Self.parts {
        for item in split.items[label]?[part] ?? [] {
          parts[try #require(item.group), default: []].insert(part)
        }
      }
      #expect(Self.parts.map { split.items[label]?[$0]?.count } == [40, 20, 20])
    }
    #expect(parts.count == 20 && parts.values.allSatisfy { $0.count == 1 })
    #expect(split.counts.map(\.groups) == [5, 5, 5])
  }

  /// A prompt without a value in the column is a group of its own.
  @Test func promptsWithoutAGroupStandAlone() throws {
    var datasets = Self.datasets(48, groupsOf: 4)
    for set in datasets.indices {
      for index in datasets[set].samples.indices where index % 2 == 0 {
        datasets[set].samples[index].fields = [:]
      }
    }
    let split = try DirectionStudy.split(datasets, Self.settings(group: "template"))
    let names = Self.parts.flatMap { split.items[.safe]?[$0] ?? [] }.compactMap(\.group)
    #expect(names.count == 48 && Set(names).count == 24 + 12)
  }

  /// A label that is missing is named with the option that gives it.
  @Test func aMissingLabelNamesItsOption() {
    let error = #expect(throws: DirectionStudyError.self) {
      try DirectionStudy.check(
        Array(Self.datasets(30, groupsOf: 1).prefix { $0.name != "neutral" }),
        settings: Self.settings(group: nil))
    }
    #expect(error == .noPrompts(.neutral))
    #expect(error?.description.contains("with --neutral") == true)
  }

  @Test func tooFewPromptsAndTooLargeGroupsAreTypedErrors() {
    #expect(throws: DirectionStudyError.tooFew(what: "safe prompts", found: 23)) {
      try DirectionStudy.check(Self.datasets(23, groupsOf: 1), settings: Self.settings(group: nil))
    }
    let error = #expect(throws: DirectionStudyError.self) {
      try DirectionStudy.check(Self.datasets(30, groupsOf: 30), settings: Self.settings(group: "template"))
    }
    #expect(
      error
        == .groupsTooLarge(column: "template", set: .safe, training: 30, validation: 0, test: 0))
    #expect(error?.description.contains("smaller groups") == true)
  }
}
