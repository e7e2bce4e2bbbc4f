/// A token's index in a model's vocabulary.
public typealias TokenID = Int32

/// One sequence in a backend's key-value cache, `0 ..< capacity.lanes`.
public struct LaneID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let index: Int

  public init(_ index: Int) { self.index = index }

  public static func < (a: LaneID, b: LaneID) -> Bool { a.index < b.index }
  public var description: String { "lane \(index)" }
}

/// Tokens to be decoded behind what a lane already holds.
public struct LaneAppend: Sendable {
  public enum Logits: Sendable, Hashable {
    case none
    /// A row for the last appended token only.
    case last
    /// A row for each appended token, in order.
    case all
  }

  public let lane: LaneID
  /// Never empty.
  public let tokens: ArraySlice<TokenID>
  public let logits: Logits

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
  var vocabulary: any Vocabulary { get }
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
}

/// Rows of logits, reused from step to step so that a step allocates nothing.
public struct LogitRows: Sendable {
  public let vocabularySize: Int
  public private(set) var count = 0
  private var storage: [[Float]] = []

  public init(vocabularySize: Int) {
    self.vocabularySize = vocabularySize
  }

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
