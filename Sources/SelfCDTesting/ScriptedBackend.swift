import SelfCD

/// A model whose logits are whatever a function of a lane's tokens says: for tests that know the answer by construction.
public final class ScriptedBackend: ModelBackend {
  public let vocabulary: any Vocabulary
  public let capacity: BackendCapacity
  public let journal: DecodeJournal
  private let script: @Sendable ([TokenID]) -> [Float]
  private var lanes: [[TokenID]]

  /// Makes a model.
  /// - Parameter script: the logits behind a lane's tokens, one for each entry of the vocabulary.
  public init(
    vocabulary: ByteVocabulary = .init(),
    capacity: BackendCapacity = .init(lanes: 16, context: 512, batch: 128), journal: DecodeJournal = .init(),
    script: @escaping @Sendable ([TokenID]) -> [Float]
  ) {
    self.vocabulary = vocabulary
    self.capacity = capacity
    self.journal = journal
    self.script = script
    lanes = Array(repeating: [], count: capacity.lanes)
  }

  public func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws {
    journal.record(appends)
    for append in appends {
      for (offset, token) in append.tokens.enumerated() {
        lanes[append.lane.index].append(token)
        let isLast = offset == append.tokens.count - 1
        guard append.logits == .all || (append.logits == .last && isLast) else { continue }
        rows.append(script(lanes[append.lane.index]))
      }
    }
  }

  public func copyLane(_ source: LaneID, to target: LaneID) throws {
    lanes[target.index] = lanes[source.index]
  }

  public func truncateLane(_ lane: LaneID, to position: Int) -> Bool {
    lanes[lane.index].removeLast(lanes[lane.index].count - position)
    return true
  }

  public func clearLane(_ lane: LaneID) { lanes[lane.index] = [] }
}
