import NIOCore

/// How far the requests of one connection have come, and their responses.
struct RequestLedger {
  var headsRead = 0
  /// Requests read to the end of their bodies.
  var requestsRead = 0
  private var responsesWritten = 0

  /// Whether every request there was has its response.
  var isNothingAsked: Bool { responsesWritten >= headsRead }
  /// The number of the request that is being answered, or that will be next.
  var answering: Int { responsesWritten + 1 }
  /// Whether all of the request that is being answered has arrived.
  var isRequestWhole: Bool { requestsRead > responsesWritten }

  mutating func responseEnded() {
    if !isNothingAsked { responsesWritten += 1 }
  }
}

/// When a connection on which nothing is asked for is closed.
struct IdleTime {
  /// A timer so late means that the machine stood still, and the client perhaps with it.
  static let standstill = TimeAmount.seconds(1)

  let limit: TimeAmount
  private var deadline = NIODeadline.distantFuture

  init(limit: TimeAmount) { self.limit = limit }

  /// - Returns: when to look again.
  mutating func start(at now: NIODeadline) -> NIODeadline {
    deadline = now + limit
    return deadline
  }

  /// Whether the connection has been idle for too long; not where time passed that nobody could use.
  func isOver(at now: NIODeadline) -> Bool { now >= deadline && now - deadline < Self.standstill }
}
