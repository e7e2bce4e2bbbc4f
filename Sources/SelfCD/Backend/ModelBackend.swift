/// A token's index in a model's vocabulary.
public typealias TokenID = Int32

/// One sequence in a backend's key-value cache, `0 ..< capacity.lanes`.
public struct LaneID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The sequence's number in the backend's cache, from 0.
  public let index: Int

  /// Names a lane; whether a backend has it is checked where it is used.
  public init(_ index: Int) { self.index = index }

  /// Orders lanes by index.
  public static func < (a: LaneID, b: LaneID) -> Bool { a.index < b.index }
  /// The lane as errors and logs name it, such as `lane 3`.
  public var description: String { "lane \(index)" }
}

/// Tokens to be decoded behind what a lane already holds.
public struct LaneAppend: Sendable {
  /// Which of the appended tokens get a row of next-token logits.
  public enum Logits: Sendable, Hashable {
    /// No row: the tokens are only put into the cache.
    case none
    /// A row for the last appended token only.
    case last
    /// A row for each appended token, in order.
    case all
  }

  /// The lane that the tokens go to.
  public let lane: LaneID
  /// Never empty.
  public let tokens: ArraySlice<TokenID>
  /// The rows that ``ModelBackend/decode(_:into:)`` has to write for this lane.
  public let logits: Logits

  /// Plans an append.
  ///
  /// - Parameters:
  ///   - lane: the lane, named once in a call of ``ModelBackend/decode(_:into:)``.
  ///   - tokens: what follows the tokens that the lane holds; not empty.
  ///   - logits: the rows that are wanted.
  public init(lane: LaneID, tokens: ArraySlice<TokenID>, logits: Logits) {
    self.lane = lane
    self.tokens = tokens
    self.logits = logits
  }
}

/// What a backend has room for.
public struct BackendCapacity: Sendable, Hashable {
  /// Number of lanes that can hold tokens at the same time.
  public let lanes: Int
  /// Tokens that one lane can hold.
  public let context: Int
  /// Tokens that one `decode` call may append, over all lanes.
  public let batch: Int
  /// Whether one pass over the weights serves only lanes of consecutive numbers, so that gaps between the lanes in use
  /// cost a pass each.
  public let prefersNeighbours: Bool

  /// States limits; the engine plans every call within them.
  ///
  /// - Parameters:
  ///   - lanes: sequences held at the same time.
  ///   - context: tokens in one lane, prompt and reply together.
  ///   - batch: tokens in one call, over all lanes.
  ///   - prefersNeighbours: whether lanes in use had better have consecutive numbers.
  public init(lanes: Int, context: Int, batch: Int, prefersNeighbours: Bool = false) {
    self.lanes = lanes
    self.context = context
    self.batch = batch
    self.prefersNeighbours = prefersNeighbours
  }

  /// Sharing fewer tokens than this is not worth a copy, which moves a lane's whole context.
  public var minimumShare: Int { max(8, context / 512) }
}

/// A model that continues lanes. Lives on the engine's thread and is called from nowhere else.
///
/// After a failed ``decode(_:into:)`` the engine clears every lane that took part before it uses it again.
public protocol ModelBackend: AnyObject {
  /// The model's tokens; its size is the length of every row of logits.
  var vocabulary: any Vocabulary { get }
  /// The limits that calls have to keep; they do not change while the backend lives.
  var capacity: BackendCapacity { get }

  /// Appends tokens to lanes in one call of the model; `appends` names each lane once.
  ///
  /// Rows are appended to `rows` in the order of `appends`, one for each token that asked for logits.
  ///
  /// - Throws: ``BackendError``.
  func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws

  /// Makes `target`, which is empty, hold what `source` holds.
  func copyLane(_ source: LaneID, to target: LaneID) throws

  /// Forgets everything a lane holds from `position` on.
  ///
  /// - Returns: `false`, with the lane unchanged, when the model cannot (recurrent and hybrid models).
  func truncateLane(_ lane: LaneID, to position: Int) -> Bool

  /// Empties a lane.
  func clearLane(_ lane: LaneID)

  /// Empties all lanes, with whatever else of earlier calls might bear on the rounding of later ones.
  func clear()
}

extension ModelBackend {
  /// Empties one lane after the other, for backends that keep nothing beside their lanes.
  public func clear() {
    for lane in 0..<capacity.lanes { clearLane(LaneID(lane)) }
  }
}

/// Rows of logits, reused from step to step so that a step allocates nothing.
public struct LogitRows: Sendable {
  /// Length of every row, the number of entries of the model's vocabulary.
  public let vocabularySize: Int
  /// Rows written since the last ``removeAll()``.
  public private(set) var count = 0
  private var storage: [[Float]] = []

  /// Makes an empty buffer for rows of `vocabularySize` logits; memory is taken as rows are added.
  public init(vocabularySize: Int) {
    self.vocabularySize = vocabularySize
  }

  /// The raw logits of a row, `[vocabulary size]`, in the order in which rows were added.
  ///
  /// An index that is not below ``count`` ends the program.
  public subscript(index: Int) -> [Float] {
    precondition(index < count, "row \(index) of \(count)")
    return storage[index]
  }

  /// Forgets the rows, not their memory.
  public mutating func removeAll() { count = 0 }

  /// Adds a row that `fill` writes in full.
  public mutating func append(_ fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    if count == storage.count { storage.append([Float](repeating: 0, count: vocabularySize)) }
    storage[count].withUnsafeMutableBufferPointer { fill($0) }
    count += 1
  }

  /// Adds a copy of a row.
  public mutating func append(_ row: [Float]) {
    append { target in
      row.withUnsafeBufferPointer { _ = target.update(fromContentsOf: $0) }
    }
  }
}

/// The rows of one generation's lanes at one step.
public struct LaneLogits: Sendable {
  private let guarded: [Float]?
  private let plain: [Float]?

  /// Holds the rows of a step, each `[vocabulary size]`; `nil` for a lane that the generation does not have or has
  /// freed.
  public init(guarded: [Float]? = nil, plain: [Float]? = nil) {
    self.guarded = guarded
    self.plain = plain
  }

  /// The raw logits of a lane, `[vocabulary size]`.
  ///
  /// A rule only asks for lanes it declared as needed, and those always have a row; an absent lane is a
  /// programming error of the rule and gives an empty row.
  public subscript(role: LaneRole) -> [Float] {
    (role == .guarded ? guarded : plain) ?? []
  }

  /// Whether the lane has a row at this step.
  public func contains(_ role: LaneRole) -> Bool {
    (role == .guarded ? guarded : plain) != nil
  }
}

/// Why a backend could not decode.
public enum BackendError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The cache has no room for the tokens.
  case cacheFull
  /// The call was cancelled while it ran.
  case aborted
  /// The request broke a limit the backend stated; would be undefined behaviour further down.
  case invalidRequest(String)
  /// The model failed.
  case failed(String)

  /// The error in words, with what to try where something helps.
  public var description: String {
    switch self {
    case .cacheFull:
      "The key-value cache is full. Use a larger --ctx-size, or fewer generations at a time."
    case .aborted: "Decoding was cancelled."
    case .invalidRequest(let reason): "The backend refused a request: \(reason)."
    case .failed(let reason): "The model failed to decode: \(reason)."
    }
  }
}
