import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDStatistics

/// The prompts of a direction study in three parts: what is learned from, selected on, and compared.
extension DirectionStudy {
  struct SampleKey: Hashable, Sendable {
    let dataset: String
    let sample: String

    init(dataset: String, sample: String) {
      self.dataset = dataset
      self.sample = sample
    }

    init(_ key: ReplyKey) { self.init(dataset: key.dataset, sample: key.sample) }
  }

  struct Item: Sendable {
    let key: SampleKey
    let sample: Sample
  }

  enum Part: Hashable { case training, validation, test }

  struct Split: Sendable {
    var items: [Sample.Label: [Part: [Item]]] = [:]

    func training(_ label: Sample.Label) -> [Item] { items[label]?[.training] ?? [] }
    func validation(_ label: Sample.Label) -> [Item] { items[label]?[.validation] ?? [] }
    func test(_ label: Sample.Label) -> [Item] { items[label]?[.test] ?? [] }

    var all: [SampleKey: Item] {
      Dictionary(
        items.values.flatMap { $0.values.flatMap { $0 } }.map { ($0.key, $0) },
        uniquingKeysWith: { first, _ in first })
    }

    var counts: [Parts] {
      Sample.Label.allCases.map {
        Parts(
          set: $0, training: training($0).count, validation: validation($0).count, test: test($0).count)
      }
    }
  }

  /// Fewer say nothing.
  static let leastPrompts = 8

  /// Drawn by the seed, so that no order of the files decides; each label apart.
  func split() throws -> Split {
    var split = Split()
    var generator = Xoshiro256StarStar(seed: settings.seed)
    for label in Sample.Label.allCases {
      var items = datasets.flatMap { dataset in
        dataset.samples.filter { $0.label == label }.map {
          Item(key: SampleKey(dataset: dataset.name, sample: $0.id), sample: $0)
        }
      }
      guard items.count >= 3 * Self.leastPrompts else {
        throw DirectionStudyError.tooFew(what: "\(label.rawValue) prompts", found: items.count)
      }
      for index in items.indices.dropLast() {
        items.swapAt(index, index + generator.index(below: items.count - index))
      }
      // Small sets are shared out two, one and one quarter.
      let training = min(settings.training, items.count / 2)
      let validation = min(settings.validation, items.count / 4)
      split.items[label] = [
        .training: Array(items[..<training]),
        .validation: Array(items[training..<(training + validation)]),
        .test: Array(items[(training + validation)...].prefix(settings.test)),
      ]
    }
    return split
  }

  func datasets(_ split: Split, _ parts: [Part]) -> [Dataset] {
    let wanted = Set(
      split.items.values.flatMap { items in parts.flatMap { items[$0] ?? [] } }.map(\.key))
    return datasets.map { dataset in
      var dataset = dataset
      dataset.samples.removeAll { !wanted.contains(SampleKey(dataset: dataset.name, sample: $0.id)) }
      return dataset
    }.filter { !$0.samples.isEmpty }
  }

  /// The place of the refusal direction: several separate perfectly, and among those the widest gap decides.
  static func best(_ candidates: [Candidate], gaps: [Double]) -> Int? {
    candidates.indices.filter { !candidates[$0].separation.isNaN }.max {
      (candidates[$0].separation, gaps[$0]) < (candidates[$1].separation, gaps[$1])
    }
  }

  /// The place of the false-refusal vector: losing refusals of harmful prompts beyond the tolerance counts before
  /// anything that is won.
  static func best(_ trials: [Trial], harmfulBefore: Int, tolerance: Int) -> Int? {
    func cost(_ trial: Trial) -> (Int, Int) {
      (max(0, harmfulBefore - tolerance - trial.harmfulRefused), trial.safeRefused)
    }
    return trials.indices.min { cost(trials[$0]) < cost(trials[$1]) }
  }
}
