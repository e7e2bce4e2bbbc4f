import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Why the server closed a connection without answering.
enum ForcedEnd: String, Sendable {
  /// Nothing was asked for in time.
  case idle
  /// The client did not read what it was sent.
  case unread
  /// Closed by something else under a request that had no response yet.
  case unanswered
}

/// Follows the requests and responses of one connection: tells a running request that its client is gone, and closes
/// the connection when its time is over or a response says so, never before what was written has been sent.
///
/// A client that closes its end, or only the half it sends on, counts as gone: what it will not read needs no
/// lanes.
final class ConnectionMonitor: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// How long a client may go on sending after a response that ends the connection.
  private static let linger = TimeAmount.seconds(2)
  /// How long a client whose request ended early may read nothing of its response.
  private static let patience = TimeAmount.seconds(10)

  private struct Watched {
    let scope: RequestScope
    /// Whether all of its response was handed on; what is left is sending it.
    var isAnswered = false
  }

  private let onForcedEnd: @Sendable (ForcedEnd) -> Void
  private var idleTime: IdleTime
  private var idleTimer: Scheduled<Void>?
  /// The requests whose responses have not been sent whole, in order.
  private var watched: [Watched] = []
  private var ledger = RequestLedger()
  private var unsentResponses = 0
  private var isClientGone = false
  private var closesAfterResponse = false
  /// The request, by its number on the connection, whose client asked for the connection to be closed.
  private var closingRequest: Int?
  private var isClosing = false

  /// - Parameters:
  ///   - idleTimeout: how long nothing may be asked for.
  ///   - onForcedEnd: told when the connection is closed without an answer.
  init(idleTimeout: TimeAmount, onForcedEnd: @escaping @Sendable (ForcedEnd) -> Void) {
    idleTime = IdleTime(limit: idleTimeout)
    self.onForcedEnd = onForcedEnd
  }

  // MARK: - For requests

  /// Ends `scope` once the client is gone, at once if it is, and completes it once its response was sent.
  static func watch(_ channel: any Channel, _ scope: RequestScope) {
    onLoop(of: channel) { monitor, _ in
      guard let monitor, !monitor.isClientGone, !monitor.isClosing else { return scope.end(.disconnected) }
      monitor.watched.append(Watched(scope: scope))
    }
  }

  /// Closes the connection behind the response to the request that `scope` is the life of.
  static func closeBehindResponse(_ channel: any Channel, _ scope: RequestScope) {
    onLoop(of: channel) { monitor, context in
      guard let monitor, let context, let index = monitor.index(of: scope) else { return }
      if !monitor.watched[index].isAnswered { monitor.closesAfterResponse = true }
      monitor.lookAfterReader(context, scope, unsent: nil)
    }
  }

  /// Tells a client that waits for leave to send its request's body that it has it, unless it has sent the body already
  /// (RFC 9110, 10.1.1).
  static func inviteBody(_ channel: any Channel) {
    onLoop(of: channel) { monitor, context in
      guard let monitor, let context, !monitor.isClosing, !monitor.ledger.isRequestWhole else { return }
      context.writeAndFlush(monitor.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }
  }

  private static func onLoop(
    of channel: any Channel, _ body: @escaping @Sendable (ConnectionMonitor?, ChannelHandlerContext?) -> Void
  ) {
    channel.eventLoop.execute {
      let operations = channel.pipeline.syncOperations
      body(
        try? operations.handler(type: ConnectionMonitor.self),
        try? operations.context(handlerType: ConnectionMonitor.self))
    }
  }

  private func index(of scope: RequestScope) -> Int? { watched.firstIndex { $0.scope === scope } }

  /// Closes the connection of a client that does not read the end of its response. A response that is still being
  /// made, on a machine that has much to do, is waited for.
  ///
  /// - Parameter unsent: bytes that waited to be sent at the last look; `nil` where the client kept up.
  private func lookAfterReader(_ context: ChannelHandlerContext, _ scope: RequestScope, unsent: Int?) {
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
      guard let index = self.index(of: scope), context.channel.isActive else { return }
      var waiting: Int?
      if self.watched[index].isAnswered || !context.channel.isWritable {
        waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        // Slow as it may be, a client that reads is let be.
        if waiting == unsent { return self.end(context, .unread) }
      }
      self.lookAfterReader(context, scope, unsent: waiting)
    }
  }

  // MARK: - What the client does

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { startIdling(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { idleTimer?.cancel() }

  func channelActive(context: ChannelHandlerContext) {
    startIdling(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    clientIsGone()
    for entry in watched { entry.scope.complete() }
    watched = []
    idleTimer?.cancel()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { clientIsGone() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      ledger.headsRead += 1
      if closingRequest == nil, head.headerFields[.connection] == "close" {
        closingRequest = ledger.headsRead
      }
      idleTimer?.cancel()
    case .end: ledger.requestsRead += 1
    case .body: break
    }
    context.fireChannelRead(data)
  }

  private func clientIsGone() {
    isClientGone = true
    for entry in watched where !entry.isAnswered { entry.scope.end(.disconnected) }
  }

  // MARK: - What the server does

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isClosing else {
      promise?.fail(ChannelError.outputClosed)
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(let head) where ledger.isNothingAsked:
      // Hummingbird's answer to what the parser refused.
      refuse(context, head, promise)
    case .head(var head):
      // A body that is not there yet would keep the connection open for as long as the client likes.
      let isLast = !ledger.isRequestWhole || ledger.answering == closingRequest
      if isLast, head.status.kind != .informational { head.headerFields[.connection] = "close" }
      if head.headerFields[.connection] == "close" { closesAfterResponse = true }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end: writeEnd(context, data, promise)
    }
  }

  private func refuse(
    _ context: ChannelHandlerContext, _ head: HTTPResponse, _ promise: EventLoopPromise<Void>?
  ) {
    let error = APIError.noHTTP
    var response = error.response.head
    response.status = head.status
    response.headerFields[.contentLength] = String(error.json.readableBytes)
    closesAfterResponse = true
    context.write(wrapOutboundOut(.head(response)), promise: promise)
    context.write(wrapOutboundOut(.body(error.json)), promise: nil)
  }

  private func writeEnd(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?)
  {
    let answered = watched.firstIndex { !$0.isAnswered }
    if let answered { watched[answered].isAnswered = true }
    let scope = answered.map { watched[$0].scope }
    ledger.responseEnded()
    unsentResponses += 1
    let sent = promise ?? context.eventLoop.makePromise()
    sent.futureResult.assumeIsolated().whenComplete { _ in
      self.unsentResponses -= 1
      if let scope {
        self.watched.removeAll { $0.scope === scope }
        scope.complete()
      }
      self.responseWasSent(context)
    }
    if closesAfterResponse { isClosing = true }
    context.writeAndFlush(data, promise: sent)
  }

  private func responseWasSent(_ context: ChannelHandlerContext) {
    guard unsentResponses == 0, context.channel.isActive else { return }
    guard isClosing else { return ledger.isNothingAsked ? startIdling(context) : () }
    // Closing at once would reset the connection under a client that still sends, and take the response from it.
    context.close(mode: .output, promise: nil)
    let channel = context.channel
    context.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all, !isClientGone, context.channel.isActive else {
      return context.close(mode: mode, promise: promise)
    }
    if unsentResponses > 0 {
      // Hummingbird closes behind the last response of a shutdown, whether or not it was sent.
      isClosing = true
      context.channel.closeFuture.cascade(to: promise)
      return
    }
    if !isClosing, !ledger.isNothingAsked { onForcedEnd(.unanswered) }
    context.close(mode: mode, promise: promise)
  }

  private func end(_ context: ChannelHandlerContext, _ why: ForcedEnd) {
    onForcedEnd(why)
    context.close(promise: nil)
  }

  // MARK: - Time

  private func startIdling(_ context: ChannelHandlerContext) {
    idleTimer?.cancel()
    let deadline = idleTime.start(at: context.eventLoop.now)
    idleTimer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      guard context.channel.isActive else { return }
      if self.idleTime.isOver(at: context.eventLoop.now) {
        self.end(context, .idle)
      } else {
        self.startIdling(context)
      }
    }
  }
}

@available(*, unavailable)
extension ConnectionMonitor: Sendable {}
