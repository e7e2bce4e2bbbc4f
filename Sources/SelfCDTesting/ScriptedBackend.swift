import SelfCD

/// A model whose logits are whatever a function of a lane's tokens says: for tests that know the answer by construction.
public final class ScriptedBackend: ModelBackend {
  /// The bytes that it chooses from.
  public let vocabulary: any Vocabulary
  /// The limits it states; it does not check them.
  public let capacity: BackendCapacity
  /// What it was asked to decode, for tests to look at.
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

  /// Appends tokens and writes the script's row wherever logits are wanted; never throws.
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

  /// Puts the source's tokens into the target in place of what it held; never throws.
  public func copyLane(_ source: LaneID, to target: LaneID) throws {
    lanes[target.index] = lanes[source.index]
  }

  /// Cuts a lane back to `position` tokens; always `true`.
  public func truncateLane(_ lane: LaneID, to position: Int) -> Bool {
    lanes[lane.index].removeLast(lanes[lane.index].count - position)
    return true
  }

  /// Forgets a lane's tokens.
  public func clearLane(_ lane: LaneID) { lanes[lane.index] = [] }
}
