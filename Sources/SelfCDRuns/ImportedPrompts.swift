import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// The prompts that imported replies answer. Replies of several files meet at a prompt by its identifier, where the
/// files have one, or by its text.
struct ImportedPrompts {
  /// A prompt by its place in the sets.
  struct Place: Hashable {
    let set: Int
    let index: Int
  }

  /// What tells a reply to a prompt from others to it.
  struct Slot: Hashable {
    let condition: String
    let repetition: Int
  }

  /// A set of prompts.
  struct PromptSet {
    let name: String
    var samples: [Sample] = []
  }

  private struct Identifier: Hashable {
    let set: Int
    let id: String
  }

  private struct Answer: Hashable {
    let place: Place
    let slot: Slot
  }

  private(set) var sets: [PromptSet] = []
  private var byID: [Identifier: Place] = [:]
  private var byText: [String: [Place]] = [:]
  /// The file that a prompt came from first.
  private var origins: [Place: String] = [:]
  private var answered: Set<Answer> = []

  func sample(_ place: Place) -> Sample { sets[place.set].samples[place.index] }

  /// Finds the prompt that a reply answers, or adds it.
  /// - Parameters:
  ///   - file: The file's name.
  ///   - needsPrompt: Whether a reply of which nothing says what it answers is a mistake.
  mutating func place(
    of reply: ForeignReply, inSet name: String, file: String, slot: Slot, needsPrompt: Bool
  ) throws(ImportIssue.Reason) -> Place {
    let text = Self.text(of: reply.turns, prompt: reply.prompt)
    if text.isEmpty, !reply.hasOwnID, needsPrompt { throw .noPrompt }
    let set = index(ofSet: name)
    let found = try known(reply, text: text, set: set, file: file, slot: slot)
    let place: Place
    if let found { place = found } else { place = add(reply, text: text, set: set, file: file) }
    guard answered.insert(Answer(place: place, slot: slot)).inserted else {
      throw .repeated(sample: sample(place).id, condition: slot.condition)
    }
    try merge(reply, text: text, into: place)
    return place
  }

  /// What prompts are compared by.
  static func text(of turns: [Sample.Turn], prompt: String) -> String {
    guard turns.count > 1 else { return prompt.trimmingSpaces() }
    return turns.map { "\($0.role.rawValue): \($0.content)" }.joined(separator: "\n\n").trimmingSpaces()
  }

  private func known(
    _ reply: ForeignReply, text: String, set: Int, file: String, slot: Slot
  ) throws(ImportIssue.Reason) -> Place? {
    guard reply.hasOwnID else { return text.isEmpty ? nil : byText[text]?.first }
    let own = byID[Identifier(set: set, id: reply.id)]
    if let own {
      let there = Self.text(of: sample(own))
      if text.isEmpty || there.isEmpty || there == text { return own }
    }
    // Another program may number the same prompts otherwise.
    let same = text.isEmpty ? [] : byText[text] ?? []
    if let free = same.first(where: { !answered.contains(Answer(place: $0, slot: slot)) }) { return free }
    if let own, origins[own] == file { throw .otherPrompt(id: reply.id) }
    return nil
  }

  private static func text(of sample: Sample) -> String {
    switch sample.content {
    case .text(let text): text.trimmingSpaces()
    case .messages(let turns): text(of: turns, prompt: sample.prompt)
    }
  }

  private mutating func index(ofSet name: String) -> Int {
    if let index = sets.firstIndex(where: { $0.name == name }) { return index }
    sets.append(PromptSet(name: name))
    return sets.count - 1
  }

  private mutating func add(_ reply: ForeignReply, text: String, set: Int, file: String) -> Place {
    var id = reply.id
    var number = 1
    while byID[Identifier(set: set, id: id)] != nil {
      // The same number in another file is another prompt.
      id = number == 1 ? "\(file)/\(reply.id)" : "\(file)/\(reply.id)-\(number)"
      number += 1
    }
    let place = Place(set: set, index: sets[set].samples.count)
    sets[set].samples.append(
      Sample(id: id, content: Self.content(of: reply), position: reply.position ?? .element(place.index + 1)))
    byID[Identifier(set: set, id: id)] = place
    if !text.isEmpty { byText[text, default: []].append(place) }
    origins[place] = file
    return place
  }

  private static func content(of reply: ForeignReply) -> Sample.Content {
    reply.turns.count > 1 ? .messages(reply.turns) : .text(reply.prompt)
  }

  /// Adds to a prompt what a row says of it.
  private mutating func merge(
    _ reply: ForeignReply, text: String, into place: Place
  ) throws(ImportIssue.Reason) {
    var sample = sample(place)
    if let label = reply.label {
      if let earlier = sample.label, earlier != label {
        throw .otherLabel(own: label.rawValue, earlier: earlier.rawValue)
      }
      sample.label = label
      sample.labelOrigin = .row
    }
    if !text.isEmpty, Self.text(of: sample).isEmpty {
      sample.content = Self.content(of: reply)
      byText[text, default: []].append(place)
    }
    sample.category = sample.category ?? reply.value(ofColumn: "category") ?? reply.value(ofColumn: "type")
    sample.focus = sample.focus ?? reply.value(ofColumn: "focus")
    let columns = reply.fields.filter { !ImportedRun.ownColumns.contains(DatasetFormat.key($0.key)) }
    sample.fields.merge(columns) { own, _ in own }
    sets[place.set].samples[place.index] = sample
  }
}
