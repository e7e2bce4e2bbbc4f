import SelfCD

/// A backend whose model never ends its turn, so that every measurement has the number of tokens asked for.
final class EndlessBackend: ModelBackend {
  private let backend: any ModelBackend
  let vocabulary: any Vocabulary
  let capacity: BackendCapacity

  init(_ backend: any ModelBackend) {
    self.backend = backend
    vocabulary = EndlessVocabulary(base: backend.vocabulary)
    capacity = backend.capacity
  }

  func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws {
    try backend.decode(appends, into: &rows)
  }

  func copyLane(_ source: LaneID, to target: LaneID) throws {
    try backend.copyLane(source, to: target)
  }

  func truncateLane(_ lane: LaneID, to position: Int) -> Bool {
    backend.truncateLane(lane, to: position)
  }

  func clearLane(_ lane: LaneID) {
    backend.clearLane(lane)
  }
}

private struct EndlessVocabulary: Vocabulary {
  let base: any Vocabulary

  var count: Int { base.count }
  func isEndOfGeneration(_ token: TokenID) -> Bool { false }
  func bytes(of token: TokenID) -> [UInt8] { base.bytes(of: token) }
}

extension ModelBackend {
  /// Touches the weights and sizes the buffers before anything is timed. Leaves lane 0 empty.
  func warmUp() throws {
    var rows = LogitRows(vocabularySize: vocabulary.count)
    let tokens = [TokenID](repeating: 0, count: 64)
    try decode([LaneAppend(lane: LaneID(0), tokens: tokens[...], logits: .last)], into: &rows)
    clearLane(LaneID(0))
  }
}
