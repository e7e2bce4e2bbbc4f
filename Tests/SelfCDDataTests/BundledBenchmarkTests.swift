import Foundation
import SelfCDData
import SelfCDTesting
import Testing

@Suite struct BundledBenchmarkTests {
  let benchmark: BundledBenchmark

  init() throws {
    benchmark = try BundledBenchmark()
  }

  private var samples: [Sample] {
    BundledBenchmark.Part.allCases.flatMap { samples($0) }
  }

  private func samples(_ part: BundledBenchmark.Part) -> [Sample] {
    benchmark.parts[part]?.samples ?? []
  }

  private func text(_ sample: Sample) -> String {
    sample.turns.map(\.content).joined(separator: "\n")
  }

  // MARK: - As data sets

  @Test func filesAreDataSetsByName() {
    #expect(
      benchmark.datasets().map(\.name) == BundledBenchmark.Part.allCases.map { "selfcd-\($0.rawValue)" })
    let some = benchmark.datasets([.turns, .pairs])
    #expect(some.map(\.name) == ["selfcd-pairs", "selfcd-turns"])
    #expect(some.map(\.samples) == [samples(.pairs), samples(.turns)])
    #expect(some.allSatisfy { $0.version == BundledBenchmark.version })
  }

  @Test func aLimitHoldsForEachLabelAndIsSpreadOverAllSets() {
    let all = benchmark.datasets([.pairs, .plain])
    let limited = all.limited(to: 30)
    for label in [Sample.Label.safe, .harmful] {
      #expect(limited.flatMap { $0.samples(labelled: label) }.count == 30)
    }
    #expect(limited.map(\.name) == all.map(\.name))
    #expect(Set(limited.flatMap(\.samples).compactMap(\.category)).count > 5)
    #expect(all.limited(to: nil) == all)
    #expect(all.limited(to: 100_000) == all)
    #expect(all.limited(to: 0).isEmpty)
    #expect([Dataset]().limited(to: 3).isEmpty)
  }

  // MARK: - Content

  @Test func everyLineWasUsedAndEveryIdentifierIsUnique() {
    for part in BundledBenchmark.Part.allCases {
      #expect(benchmark.parts[part]?.skipped == [], "\(part)")
    }
    #expect(Set(samples.map(\.id)).count == samples.count)
  }

  @Test func theSetsAreAsLargeAsTheDocumentationSays() {
    let counts = samples.reduce(into: [Sample.Label: Int]()) { $0[$1.label ?? .neutral, default: 0] += 1 }
    #expect(counts[.safe, default: 0] >= 400)
    #expect(counts[.harmful, default: 0] >= 250)
    #expect(counts[.neutral, default: 0] >= 40)
    #expect(Set(samples(.pairs).compactMap(\.pairID)).count >= 200)
    #expect(samples(.plain).count >= 100)
    #expect(samples(.turns).count >= 25)
    #expect(samples(.languages).count >= 40)
    #expect(samples(.answers).count >= 40)
    #expect(Set(samples(.pairs).compactMap(\.category)).count >= 30)
    #expect(benchmark.languages == ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "pl", "pt", "tr", "zh"])
  }

  @Test func everySampleSaysItsLabelItsCategoryAndItsLanguage() {
    for sample in samples {
      #expect(sample.labelOrigin == .row, "\(sample.id)")
      #expect(sample.category != nil, "\(sample.id)")
      #expect(sample.language != nil, "\(sample.id)")
      // What belongs to a pair has a focus word, nothing else has.
      #expect((sample.pairID == nil) == (sample.focus == nil), "\(sample.id)")
      #expect((sample.label == .neutral) == (sample.answer != nil), "\(sample.id)")
    }
    #expect(samples(.plain).allSatisfy { $0.label == .safe && $0.pairID == nil && $0.language == "en" })
    #expect(samples(.languages).allSatisfy { $0.language != "en" })
    #expect(samples(.turns).allSatisfy { $0.turns.count > 1 })
    #expect(samples(.answers).allSatisfy { $0.label == .neutral })
  }

  @Test func aPairIsOneHarmlessAndOneHarmfulPromptWithTheSameWord() {
    let pairs = Dictionary(grouping: samples.filter { $0.pairID != nil }) { $0.pairID ?? "" }
    for (id, members) in pairs {
      #expect(members.compactMap(\.label?.rawValue).sorted() == ["harmful", "safe"], "\(id)")
      #expect(Set(members.map(\.focus)).count == 1, "\(id)")
      #expect(Set(members.map(\.category)).count == 1, "\(id)")
      #expect(Set(members.map(\.language)).count == 1, "\(id)")
      for member in members {
        let word = pattern(forAny: [member.focus ?? ""], language: member.language)
        #expect(member.prompt.range(of: word, options: Self.matching) != nil, "\(member.id)")
      }
    }
    #expect(samples.filter { $0.label == .harmful }.allSatisfy { $0.pairID != nil })
  }

  private static let matching: String.CompareOptions = [.regularExpression, .caseInsensitive]

  /// Chinese and Japanese have no spaces, and Arabic joins particles to a word: there the word's letters count.
  private func pattern(forAny words: some Collection<String>, language: String?) -> String {
    let any = words.map(NSRegularExpression.escapedPattern).joined(separator: "|")
    if ["zh", "ja", "ar"].contains(language) { return any }
    return "(?<![\\p{L}\\p{M}])(\(any))(?![\\p{L}\\p{M}])"
  }

  @Test func aPlainPromptHasNoneOfTheFocusWords() {
    let words = pattern(forAny: Set(samples(.pairs).compactMap(\.focus)), language: "en")
    for sample in samples(.plain) {
      #expect(sample.prompt.range(of: words, options: Self.matching) == nil, "\(sample.id)")
    }
  }

  /// What is measured should not be to be had from stock phrases: naive Bayes over the presence of words, trained
  /// on all other pairs.
  @Test func aBagOfWordsTellsTheHalvesApartOnlyPartly() throws {
    var held: [Sample.Label: [String: Int]] = [:]
    var pairs: [String: [Sample.Label: Set<Substring>]] = [:]
    for sample in samples(.pairs) {
      let label = try #require(sample.label)
      let words = Set(sample.prompt.lowercased().split { !($0.isASCII && $0.isLetter) && $0 != "'" })
      pairs[sample.pairID ?? "", default: [:]][label] = words
      for word in words { held[label, default: [:]][String(word), default: 0] += 1 }
    }
    var labelled = 0
    var ordered = 0
    for halves in pairs.values {
      func score(_ words: Set<Substring>) -> Double {
        words.reduce(0) { sum, word in
          func others(_ label: Sample.Label) -> Double {
            let own = halves[label]?.contains(word) == true ? 1 : 0
            return Double((held[label]?[String(word)] ?? 0) - own) + 0.5
          }
          return sum + log(others(.harmful) / others(.safe))
        }
      }
      let safe = score(try #require(halves[.safe]))
      let harmful = score(try #require(halves[.harmful]))
      labelled += (safe <= 0 ? 1 : 0) + (harmful > 0 ? 1 : 0)
      ordered += harmful > safe ? 1 : 0
    }
    let accuracy = Double(labelled) / Double(2 * pairs.count)
    let order = Double(ordered) / Double(pairs.count)
    #expect(accuracy < 0.725, "\(accuracy)")
    #expect(order < 0.795, "\(order)")
  }

  @Test func noPromptOccursTwice() {
    let datasets = BundledBenchmark.Part.allCases.compactMap { benchmark.parts[$0] }
    #expect(DuplicateReport(datasets).groups.map { $0.occurrences.map(\.sampleID) } == [])
    let prompts = samples.map { DuplicateReport.normalized($0.prompt) }
    let repeated = Dictionary(grouping: prompts) { $0 }.filter { $0.value.count > 1 }.keys
    #expect(repeated.isEmpty)
  }

  @Test func aHarmfulRequestIsOneShortLine() {
    for sample in samples where sample.label == .harmful {
      #expect(sample.prompt.count <= 160, "\(sample.id)")
      #expect(sample.prompt.split(whereSeparator: \.isNewline).count == 1, "\(sample.id)")
    }
  }

  @Test(arguments: [
    "[^ ]@[^ ]", "(?i)https?:|www\\.|\\b[a-z]+\\.(com|org|net|de|io)\\b", "[0-9][0-9 ()./-]{5,}[0-9]",
  ])
  func noTextLooksLikeAnAddressOrATelephoneNumber(pattern: String) {
    for sample in samples {
      #expect(text(sample).range(of: pattern, options: .regularExpression) == nil, "\(sample.id)")
    }
  }

  @Test(
    .enabled(if: RealData.isPresent, Comment(rawValue: RealData.skipReason)),
    arguments: [
      "xstest/xstest_prompts.csv", "oktest/OKTest.csv", "advbench/harmful_behaviors.csv",
      "harmbench/harmbench_val.csv", "malicious_instruct/malicious_instruct.txt",
    ])
  func noPromptIsNearOneOfAPublishedSet(file: String) throws {
    var holders: [String: Set<Int>] = [:]
    var sizes: [Int] = []
    for (index, theirs) in try DatasetReader().read(path: RealData.path(file)).samples.enumerated() {
      let trigrams = wordTrigrams(theirs.prompt)
      sizes.append(trigrams.count)
      for trigram in trigrams { holders[trigram, default: []].insert(index) }
    }
    for ours in samples {
      let trigrams = wordTrigrams(ours.prompt)
      var shared: [Int: Int] = [:]
      for trigram in trigrams {
        for index in holders[trigram] ?? [] { shared[index, default: 0] += 1 }
      }
      for (index, count) in shared {
        let similarity = Double(count) / Double(trigrams.count + sizes[index] - count)
        #expect(similarity < 0.3, "\(ours.id) and row \(index + 1) of \(file)")
      }
    }
  }

  /// Without punctuation. A text of fewer than three words is one item, so that equal texts are found.
  private func wordTrigrams(_ text: String) -> Set<String> {
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
    if words.count < 3 { return [words.joined(separator: " ")] }
    return Set((0..<words.count - 2).map { words[$0..<$0 + 3].joined(separator: " ") })
  }

  // MARK: - Selecting

  @Test func theDatasetsOfTheThreeLabelsTogetherAreTheWholeBenchmark() throws {
    let datasets = try Sample.Label.allCases.map { try benchmark.dataset(labelled: $0) }
    #expect(datasets.map(\.samples.count).reduce(0, +) == samples.count)
    for (label, dataset) in zip(Sample.Label.allCases, datasets) {
      #expect(dataset.name == "selfcd-benchmark/\(label.rawValue)")
      #expect(dataset.version == BundledBenchmark.version)
      #expect(dataset.sha256 == benchmark.sha256)
      #expect(dataset.samples.allSatisfy { $0.label == label })
    }
  }

  @Test func aSelectionNarrowsAndTheNameSaysHow() throws {
    let selection = BundledBenchmark.Selection(languages: ["de", "es"], turns: .multiple)
    let harmful = try benchmark.dataset(labelled: .harmful, selection: selection)
    #expect(harmful.name == "selfcd-benchmark/harmful/de+es/multi-turn")
    #expect(harmful.format == "labelled-messages")
    #expect(!harmful.samples.isEmpty)
    #expect(harmful.samples.allSatisfy { $0.turns.count > 1 && ["de", "es"].contains($0.language) })

    let single = try benchmark.dataset(labelled: .safe, selection: .init(turns: .single))
    #expect(single.samples.allSatisfy { $0.turns.count == 1 })
    #expect(single.format == "labelled-prompts")
    let plain = try benchmark.dataset(labelled: .safe, selection: .init(parts: [.plain]))
    #expect(plain.samples == samples(.plain))
  }

  @Test func whatCannotBeSelectedIsSaid() {
    #expect(throws: BenchmarkError.unknownLanguage("xx", known: benchmark.languages)) {
      try benchmark.dataset(labelled: .safe, selection: .init(languages: ["de", "xx"]))
    }
    #expect(throws: BenchmarkError.nothingSelected("neutral and multi-turn")) {
      try benchmark.dataset(labelled: .neutral, selection: .init(turns: .multiple))
    }
  }

  // MARK: - Files

  @Test func alteredOrMissingFilesAreRefused() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(throws: BenchmarkError.self) { try BundledBenchmark(folder: folder.path) }
    for part in BundledBenchmark.Part.allCases {
      let line = "{\"id\": \"\(part.rawValue)\", \"label\": \"safe\", \"prompt\": \"\(part.rawValue)?\"}\n"
      try Data(line.utf8).write(to: folder.appending(path: "\(part.rawValue).jsonl"))
    }
    let error = #expect(throws: BenchmarkError.self) { try BundledBenchmark(folder: folder.path) }
    guard case .altered(folder.path, let found, BundledBenchmark.versionSHA256)? = error else {
      Issue.record("expected .altered, got \(String(describing: error))")
      return
    }
    #expect(found.count == 64)
  }
}
