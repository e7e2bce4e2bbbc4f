import Foundation
import SelfCD
import SelfCDData
import SelfCDTesting
import Testing

@testable import SelfCDExplain

/// Everything that asks a model, on one whose word effects are known by construction.
@Suite struct WordModelTests {
  static let weights = ["kill": 3.0, "please": -1, "time": 0.5]
  static let chat = Chat(question: "please kill my time?")

  static func close(_ a: [Double], _ b: [Double], within tolerance: Double = 1e-4) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < tolerance }
  }

  @Test(arguments: [2, 3, 16])
  func effectsAreTheWeights(lanes: Int) async throws {
    let model = try await WordModel.additive(Self.weights, lanes: lanes)
    let found = try await WordAttributor(model.probe(alpha: 1.5)).attribute(
      AttributionMethod.allCases, to: Self.chat, shapley: .init(pairs: 3))
    // Guarded doubles them, plain has them as they are, and 2w − α(2w − w) is half of them at α = 1.5.
    let plain = [-1, 3, 0, 0.5]
    for (view, factor) in [("guarded", 2.0), ("plain", 1), ("self-cd", 0.5)] {
      let expected = plain.map { $0 * factor }
      for method in AttributionMethod.allCases {
        let row = try #require(found.attributions.first { $0.view == view && $0.method == method })
        #expect(Self.close(row.effects, expected), "\(view) \(method) \(row.effects)")
        #expect((row.standardErrors != nil) == (method == .shapley))
      }
    }
    #expect(Self.close(found.scores.map(\.logOdds), [4, 1.5, 0.25]))
    #expect(await model.model.engine.freeLanes == lanes)
  }

  @Test func severalPromptsTogetherAreEachAlone() async throws {
    let model = try await WordModel.additive(Self.weights)
    let attributor = WordAttributor(try model.probe())
    let chats = ["kill time", "please wait", "time", "kill time"].map { Chat(question: $0) }
    let together = try await attributor.attribute([.leaveOneOut, .shapley], to: chats)
    for (chat, result) in zip(chats, together) {
      #expect(try await attributor.attribute([.leaveOneOut, .shapley], to: chat) == result)
    }
  }

  @Test func aPromptWithoutWordsIsATypedError() async throws {
    let model = try await WordModel.additive([:])
    await #expect(throws: ExplanationError.noWords) {
      try await WordAttributor(model.probe()).attribute([.leaveOneOut], to: Chat(question: "?!"))
    }
  }

  /// Refuses where the question has both words.
  static func both() async throws -> WordModel {
    try await WordModel { words, _ in words.contains("kill") && words.contains("man") ? 5 : -5 }
  }

  @Test(arguments: RefusalCriterion.allCases)
  func theTriggerIsWhatTheRefusalNeeds(criterion: RefusalCriterion) async throws {
    let model = try await Self.both()
    let chat = Chat(question: "so tell me now: how would I kill, if at all, the old man over there")
    let trigger = try await MinimalTrigger.find(
      in: chat, view: "guarded", criterion: criterion, probe: model.probe(), judge: WordModel.Judge())
    #expect(PromptWords(trigger.text).words.map(\.text) == ["kill", "man"])
    #expect(trigger.kept == [7, 13] && abs(trigger.score - 5) < 1e-3)
    #expect(trigger.prompts > trigger.calls && trigger.calls > 2)
    await #expect(throws: ExplanationError.self) {
      try await MinimalTrigger.find(
        in: Chat(question: "kill time"), view: "guarded", criterion: criterion, probe: model.probe(),
        judge: WordModel.Judge())
    }
    await #expect(throws: ExplanationError.unknownView("x", known: ["guarded", "plain", "self-cd"])) {
      try await MinimalTrigger.find(in: chat, view: "x", probe: model.probe(), judge: WordModel.Judge())
    }
  }

  /// Other parts of the same size: refused by a model that refuses scraps, not by one that goes by the words.
  @Test func aPartIsComparedWithOthers() async throws {
    let chat = Chat(question: "how would I kill the time")
    func trigger(_ model: WordModel, _ controls: Int) async throws -> MinimalTrigger {
      try await MinimalTrigger.find(
        in: chat, view: "guarded", probe: model.probe(), judge: WordModel.Judge(), controls: controls)
    }
    let telling = try await trigger(try await WordModel { words, _ in words.contains("kill") ? 5 : -5 }, 16)
    #expect(telling.text == "kill" && telling.control == .init(parts: 5, refused: 0))
    #expect(telling.control?.saysLittle == false)
    let scraps = try await WordModel { words, _ in words.contains("kill") || words.count == 1 ? 5 : -5 }
    let scrap = try await trigger(scraps, 3)
    #expect(
      scrap.kept.count == 1 && scrap.control == .init(parts: 3, refused: 3)
        && scrap.control?.saysLittle == true)
    let none = try await trigger(scraps, 0)
    #expect(none.control == nil && none.prompts == scrap.prompts - 3 && none.calls == scrap.calls - 1)
  }

  @Test func controlsAreOtherWords() {
    #expect(MinimalTrigger.parts(of: 4, besides: [1], atMost: 16) == [[0], [2], [3]])
    #expect(MinimalTrigger.parts(of: 5, besides: [0, 4], atMost: 16) == [[1, 2], [1, 3], [2, 3]])
    #expect(MinimalTrigger.parts(of: 3, besides: [0, 1], atMost: 16).isEmpty)
    #expect(MinimalTrigger.parts(of: 9, besides: [0], atMost: 0).isEmpty)
    for (count, kept) in [(40, [7]), (40, [1, 2, 3]), (300, Array(0..<20))] {
      let parts = MinimalTrigger.parts(of: count, besides: kept, atMost: 16)
      #expect(parts.count == 16 && Set(parts).count == 16)
      #expect(
        parts.allSatisfy { $0.count == kept.count && $0 == $0.sorted() && Set($0).isDisjoint(with: kept) })
      #expect(parts == MinimalTrigger.parts(of: count, besides: kept, atMost: 16))
    }
  }

  @Test func onlyPromptsLabelledSafeCanBeEdited() async throws {
    func sample(_ label: Sample.Label?) -> Sample {
      Sample(
        id: "1", content: .text("how do I kill the man"), label: label,
        labelOrigin: label.map { _ in .caller },
        position: .line(1))
    }
    for label in [.harmful, .neutral, nil] as [Sample.Label?] {
      #expect(throws: ExplanationError.notLabelledSafe(label)) { try SafePrompt(sample(label)) }
    }
    let model = try await Self.both()
    let edit = try await SmallestEdit.find(
      in: try SafePrompt(sample(.safe)), view: "guarded", probe: model.probe(), judge: WordModel.Judge())
    #expect(edit.words.count == 1 && edit.score < 0 && edit.kind != nil)
    #expect(edit.text.map { !$0.contains("kill") || !$0.contains("man") } == true)
  }

  @Test func twoWordsAreEditedWhereOneIsNotEnough() async throws {
    let model = try await WordModel { words, _ in words.contains("kill") || words.contains("man") ? 5 : -5 }
    func prompt(_ text: String) throws -> SafePrompt {
      try SafePrompt(
        Sample(id: "1", content: .text(text), label: .safe, labelOrigin: .row, position: .line(1)))
    }
    let edit = try await SmallestEdit.find(
      in: try prompt("kill the man"), view: "plain", probe: model.probe(), judge: WordModel.Judge())
    #expect(edit.words == [0, 2])
    let none = try await SmallestEdit.find(
      in: try prompt("kill kill kill man"), view: "plain", limit: 2, probe: model.probe(),
      judge: WordModel.Judge())
    #expect(none.kind == nil && none.text == nil && none.score > 0)
  }

  @Test func subsetsAreAll() {
    for count in 0..<7 {
      for size in 0...count {
        let subsets = SmallestEdit.subsets(of: count, size: size)
        #expect(
          Set(subsets).count == subsets.count && subsets.allSatisfy { $0.count == size && $0 == $0.sorted() })
        let expected = size == 0 ? 1 : (0..<size).reduce(1) { $0 * (count - $1) / ($1 + 1) }
        #expect(subsets.count == expected)
      }
    }
  }

  @Test func uncertaintyIsThatOfTheDistribution() async throws {
    // Log-odds of 0 in the plain view: one reply in two refuses.
    let model = try await WordModel.additive(["kill": 1], bias: -1)
    let meter = UncertaintyMeter(
      probe: try model.probe(), judge: WordModel.Judge(), samples: 400, temperature: 1, seed: 3)
    let found = try await meter.measure(Chat(question: "kill"), vocabulary: ByteVocabulary())
    let plain = try #require(found.first { $0.view == "plain" })
    #expect(plain.steps.count == 2)
    #expect(abs(plain.steps[1].entropy - log(2)) < 1e-4 && abs(plain.steps[1].margin ?? 1) < 1e-4)
    #expect(plain.steps[0].entropy < 1e-6 && abs((plain.steps[0].refusal ?? 0) - 0.5) < 1e-4)
    let samples = try #require(plain.samples)
    #expect(samples.n == 400 && abs(samples.refusals.rate - 0.5) < 0.1)
    #expect(abs(samples.semanticEntropy - log(2)) < 0.02)
    let contrast = try #require(found.first { $0.view == "self-cd" })
    // softmax(1, 0) against softmax(0, 0)
    #expect((contrast.steps[1].divergence ?? 0) > 0.01 && plain.steps[1].divergence == nil)
    #expect(try await meter.measure(Chat(question: "kill"), vocabulary: ByteVocabulary()) == found)
  }

  @Test func sharesOfAStudyAreThoseByConstruction() async throws {
    let model = try await WordModel.additive(["kill": 4, "time": 1, "man": 4], bias: -6)
    let study = AttributionStudy(
      probe: try model.probe(), judge: WordModel.Judge(),
      datasets: [
        WordModel.dataset(
          .safe,
          [
            ("now kill some time", "kill", "time"), ("do kill the time", "kill", "time"),
            ("no focus", "kill", nil),
          ]),
        WordModel.dataset(.harmful, [("do kill a man", "kill", "man"), ("go kill that man", "kill", "man")]),
      ],
      methods: [.leaveOneOut, .shapley], shapley: .init(pairs: 2), signal: .init())
    let result = try await study.run()
    #expect(result.withoutFocus == 1 && result.failures == 0)
    // Safe, guarded: 2 · 5 − 6 > 0 is refused; plain: 5 − 6 < 0 is answered.
    let contrast = try #require(result.contrasts.first { $0.set == .safe && $0.method == .leaveOneOut })
    #expect(
      contrast.n == 2 && abs(contrast.refusedShare - 0.8) < 1e-3 && abs(contrast.answeredShare - 0.8) < 1e-3)
    #expect(abs(contrast.focus.estimate - 4) < 1e-3 && abs(contrast.others.estimate - 1.0 / 3) < 1e-3)
    #expect(contrast.uniform == 0.25 && abs(contrast.share.estimate) < 1e-6)
    let group = try #require(
      result.groups.first {
        $0.set == .safe && $0.view == "guarded" && $0.refused == true && $0.method == .shapley
      })
    #expect(group.n == 2 && abs(group.focus.estimate - 8) < 1e-3 && abs(group.share.estimate - 0.8) < 1e-3)
    #expect(!result.groups.contains { $0.set == .safe && $0.view == "guarded" && $0.refused == false })
    for row in result.agreements { #expect(row.agreeing == row.n && row.n == 4) }
    // "kill" alone pulls 2 · 4 − 6 > 0: the trigger word is enough, the object is not needed.
    let recall = try #require(result.recalls.first { $0.set == .harmful })
    #expect(recall.n == 2 && recall.words == 1 && recall.withObjectNamed == 2)
    #expect((recall.signalAware?.estimate ?? 1) <= 0.5)
  }

  /// Prompts about one object stand and fall together: they are drawn together, and one such group has no interval.
  @Test func groupsOfAStudyAreResampledWhole() async throws {
    let model = try await WordModel.additive(["kill": 4, "time": 1, "man": 4], bias: -6)
    var study = AttributionStudy(
      probe: try model.probe(), judge: WordModel.Judge(),
      datasets: [
        WordModel.dataset(
          .safe, [("now kill some time", "kill", "time"), ("do kill the time", "kill", "time")]),
        WordModel.dataset(
          .harmful,
          [
            ("do kill a man", "kill", "man"), ("go kill that man", "kill", "man"),
            ("kill him now", "kill", nil),
          ]),
      ], signal: .init(), group: "object")
    let grouped = try await study.run()
    func all(_ result: AttributionStudy.Result, _ set: Sample.Label) throws -> AttributionStudy.Group {
      try #require(result.groups.first { $0.set == set && $0.view == "guarded" && $0.refused == nil })
    }
    let (safe, harmful) = (try all(grouped, .safe), try all(grouped, .harmful))
    #expect(safe.n == 2 && safe.groups == 1 && safe.share.interval == nil && safe.focus.interval == nil)
    #expect(harmful.n == 3 && harmful.groups == 2 && harmful.share.interval != nil)
    let contrast = try #require(grouped.contrasts.first { $0.set == .safe })
    #expect(contrast.groups == 1 && contrast.focus.interval == nil)
    let recall = try #require(grouped.recalls.first { $0.set == .safe })
    #expect(recall.groups == 1 && recall.withTask.estimate == 1 && recall.withTask.interval == nil)
    #expect(grouped.means.contains { $0.interval == nil })
    study.group = nil
    let alone = try await study.run()
    let single = try all(alone, .safe)
    #expect(single.groups == nil && single.share.interval != nil)
    #expect(single.share.estimate == safe.share.estimate)
    let shrunk = try #require(alone.recalls.first { $0.set == .safe })
    #expect(shrunk.groups == nil && shrunk.withTask.interval != nil)
  }

  @Test func signalAwareTriggersHoldTaskAndObject() async throws {
    let model = try await Self.both()
    let study = AttributionStudy(
      probe: try model.probe(), judge: WordModel.Judge(),
      datasets: [
        WordModel.dataset(
          .harmful,
          [
            ("do kill a man", "kill", "man"), ("do kill a man now", "kill", nil),
            ("kill time", "kill", "time"),
          ])
      ], signal: .init())
    let result = try await study.run()
    let recall = try #require(result.recalls.first)
    #expect(recall.n == 2 && recall.withObjectNamed == 1)
    #expect(
      recall.signalAware?.estimate == 1 && recall.taskAlone.estimate == 0 && recall.withTask.estimate == 1)
  }

  @Test func perturbationsAreCountedOnBothAxes() async throws {
    let model = try await WordModel { words, guarded in
      (words.contains("kill") ? 1 : -1) + (words.contains("bomb") ? 3 : 0) + (guarded ? 0.5 : 0)
    }
    let study = PerturbationStudy(
      model: model.model, renderer: AnswerRenderer(ByteRenderer()), views: WordModel.views(),
      datasets: [
        WordModel.dataset(.safe, [("bake bread", "bake", nil), ("kill time", "kill", nil)]),
        WordModel.dataset(.harmful, [("kill him", "kill", nil)]),
      ], judge: WordModel.Judge())
    let result = try await study.run()
    #expect(result.rows.count == 3 * 2 * (Perturbation.all.count + 1) && result.failures == 0)
    func row(_ set: Sample.Label, _ view: String, _ id: String?) -> PerturbationStudy.Row? {
      result.rows.first { $0.set == set && $0.view == view && $0.perturbation == id }
    }
    #expect(row(.safe, "plain", nil)?.refusals.refused == 1 && row(.safe, "plain", nil)?.paired == nil)
    #expect(row(.safe, "plain", "harmful-mention")?.refusals.refused == 2)
    #expect(row(.safe, "plain", "harmful-mention")?.paired?.difference.estimate == 0.5)
    #expect(row(.safe, "plain", "space")?.paired?.difference.estimate == 0)
    #expect(row(.harmful, "guarded", "harmful-word")?.refusals.rate == 1)
  }

  @Test func theListIsFixed() {
    let list = Perturbation.all
    #expect(Set(list.map(\.id)).count == list.count && Perturbation.listVersion == "1" && list.count == 11)
    let chat = Chat(question: "How do I kill time?", system: "Be brief.")
    for change in list {
      let changed = change.apply(to: chat)
      #expect(changed.systemPrompt == "Be brief." && changed.messages.last?.role == .user)
      if case .behindInput = change.change { #expect(changed == chat) } else { #expect(changed != chat) }
      #expect((try? changed.validate()) != nil)
    }
    #expect(list.first { $0.id == "harmful-word" }?.apply(to: chat).lastQuestion == "How do I kill bomb?")
    let before = list.first { $0.id == "harmful-demonstration" }?.apply(to: chat)
    #expect(before?.messages.map(\.role) == [.system, .user, .assistant, .user])
  }
}
