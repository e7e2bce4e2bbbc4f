import SelfCD
import Synchronization

/// A model without weights: logits are a pure function of the tokens a lane holds.
///
/// What a lane holds is what was really done to it (appended, copied, cut), so a wrong copy or position changes
/// the reply. That makes the engine's sharing testable without a real model.
public final class HistoryBackend: ModelBackend {
  /// What the backend is made to do wrong or cannot do.
  public struct Behaviour: Sendable {
    /// Refuses to cut lanes back, as recurrent models do.
    public var isRecurrent = false
    /// Throws at the n-th call of `decode`, counted from 0.
    public var failsAtCall: Int?
    /// Blocks in `decode` until aborted, from this call on.
    public var hangsAtCall: Int?
    /// Gives NaN instead of logits.
    public var givesNaN = false
    /// Never ends a reply, so that its length is what was asked for, whatever is drawn.
    public var neverEnds = false

    /// Faults that are not named do not happen.
    ///
    /// - Parameters:
    ///   - isRecurrent: refuses to cut lanes back.
    ///   - failsAtCall: the call of `decode` that throws, from 0.
    ///   - hangsAtCall: the first call of `decode` that blocks until aborted.
    ///   - givesNaN: gives NaN for every logit.
    ///   - neverEnds: keeps the end of the turn from being chosen.
    public init(
      isRecurrent: Bool = false, failsAtCall: Int? = nil, hangsAtCall: Int? = nil, givesNaN: Bool = false,
      neverEnds: Bool = false
    ) {
      self.isRecurrent = isRecurrent
      self.failsAtCall = failsAtCall
      self.hangsAtCall = hangsAtCall
      self.givesNaN = givesNaN
      self.neverEnds = neverEnds
    }
  }

  /// The bytes that it chooses from.
  public let vocabulary: any Vocabulary
  /// The limits it was made with; a call beyond them ends the test.
  public let capacity: BackendCapacity
  /// What it was asked to decode, for tests to look at.
  public let journal: DecodeJournal
  private let behaviour: Behaviour
  private let abort: AbortSignal
  private var lanes: [[TokenID]]
  /// Tokens each lane admits to: a call that failed leaves more in it, as a real cache does.
  private var lengths: [Int]
  private var calls = 0

  /// Makes a model with empty lanes.
  ///
  /// - Parameters:
  ///   - vocabulary: what it chooses from.
  ///   - capacity: its limits.
  ///   - behaviour: what it does wrong.
  ///   - journal: where calls are recorded.
  ///   - abort: what ends a call that hangs.
  public init(
    vocabulary: ByteVocabulary = .init(),
    capacity: BackendCapacity = .init(lanes: 8, context: 512, batch: 64),
    behaviour: Behaviour = .init(), journal: DecodeJournal = .init(), abort: AbortSignal = .init()
  ) {
    self.vocabulary = vocabulary
    self.capacity = capacity
    self.behaviour = behaviour
    self.journal = journal
    self.abort = abort
    lanes = Array(repeating: [], count: capacity.lanes)
    lengths = Array(repeating: 0, count: capacity.lanes)
  }

  /// Appends tokens and writes the rows that follow from all that each lane holds.
  ///
  /// - Throws: `BackendError.failed` or `.aborted` as its behaviour says, with half of the tokens left in the lanes.
  public func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws {
    defer { calls += 1 }
    journal.record(appends)
    precondition(appends.reduce(0) { $0 + $1.tokens.count } <= capacity.batch, "batch too large")
    precondition(Set(appends.map(\.lane)).count == appends.count, "a lane twice in one call")
    if calls == behaviour.failsAtCall {
      leaveResidue(of: appends)
      throw BackendError.failed("as told")
    }
    if let start = behaviour.hangsAtCall, calls >= start {
      leaveResidue(of: appends)
      while !abort.isRaised {}
      throw BackendError.aborted
    }
    for append in appends {
      for (offset, token) in append.tokens.enumerated() {
        lanes[append.lane.index].append(token)
        let isLast = offset == append.tokens.count - 1
        guard append.logits == .all || (append.logits == .last && isLast) else { continue }
        let history = lanes[append.lane.index]
        rows.append { target in
          for index in target.indices {
            target[index] = behaviour.givesNaN ? .nan : Self.logit(of: TokenID(index), after: history)
          }
          if behaviour.neverEnds { target[target.endIndex - 1] = -1e9 }
        }
      }
      lengths[append.lane.index] += append.tokens.count
      precondition(lengths[append.lane.index] <= capacity.context, "lane overflows")
    }
  }

  private func leaveResidue(of appends: [LaneAppend]) {
    for append in appends { lanes[append.lane.index] += append.tokens.prefix((append.tokens.count + 1) / 2) }
  }

  /// A number in -4 ..< 4 that depends on every token of the history.
  public static func logit(of token: TokenID, after history: [TokenID]) -> Float {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for value in history + [token] { hash = (hash ^ UInt64(bitPattern: Int64(value))) &* 0x100_0000_01B3 }
    var generator = SplitMix64(seed: hash)
    return Float(generator.next() >> 40) / Float(1 << 21) - 4
  }

  /// Copies what a lane really holds, tokens of failed calls included; the target has to be empty.
  public func copyLane(_ source: LaneID, to target: LaneID) throws {
    precondition(lanes[target.index].isEmpty, "copy onto a lane in use")
    lanes[target.index] = lanes[source.index]
    lengths[target.index] = lengths[source.index]
  }

  /// Cuts a lane back to `position` tokens; `false`, with the lane unchanged, where it plays a recurrent model.
  public func truncateLane(_ lane: LaneID, to position: Int) -> Bool {
    if position == lengths[lane.index] { return true }
    guard !behaviour.isRecurrent else { return false }
    lanes[lane.index].removeLast(lanes[lane.index].count - position)
    lengths[lane.index] = position
    return true
  }

  /// Empties a lane, of tokens of failed calls too.
  public func clearLane(_ lane: LaneID) {
    lanes[lane.index] = []
    lengths[lane.index] = 0
  }
}

/// What a backend was asked to decode.
public final class DecodeJournal: Sendable {
  private let entries = Guarded<(calls: [[Int]], rows: Int)>(([], 0))

  /// A journal without entries.
  public init() {}

  func record(_ appends: [LaneAppend]) {
    entries.update { entries in
      entries.calls.append(appends.map(\.tokens.count))
      entries.rows += appends.reduce(0) {
        $0 + ($1.logits == .all ? $1.tokens.count : $1.logits == .last ? 1 : 0)
      }
    }
  }

  /// Tokens per lane of each call.
  public var calls: [[Int]] { entries.value.calls }
  /// Rows of logits that were asked for.
  public var rows: Int { entries.value.rows }
  /// Tokens of all calls and lanes together: what sharing is to keep low.
  public var decodedTokens: Int { calls.joined().reduce(0, +) }

  /// A value behind a lock.
  final class Guarded<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>
    init(_ value: Value) { storage = Mutex(value) }
    var value: Value { storage.withLock { $0 } }
    func update(_ change: (inout Value) -> Void) { storage.withLock { change(&$0) } }
  }
}
