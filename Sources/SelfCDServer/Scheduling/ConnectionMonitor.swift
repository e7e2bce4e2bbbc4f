import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Tells a running request that its client is gone, and closes connections whose response says so.
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

  private var onClosed: (@Sendable () -> Void)?
  private var isClosed = false
  private var closesAfterResponse = false

  /// Calls `handler` once the client is gone, at once if it is.
  static func watch(_ channel: any Channel, _ handler: @escaping @Sendable () -> Void) {
    channel.eventLoop.execute {
      guard let monitor = try? channel.pipeline.syncOperations.handler(type: ConnectionMonitor.self) else {
        return handler()
      }
      if monitor.isClosed { handler() } else { monitor.onClosed = handler }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    closed()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { closed() }
    context.fireUserInboundEventTriggered(event)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head): closesAfterResponse = head.headerFields[.connection] == "close"
    case .end where closesAfterResponse:
      context.writeAndFlush(data, promise: promise)
      // Closing at once would reset the connection under a client that still sends, and take the response
      // from it.
      context.close(mode: .output, promise: nil)
      let channel = context.channel
      context.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
      return
    case .body, .end: break
    }
    context.write(data, promise: promise)
  }

  private func closed() {
    isClosed = true
    onClosed?()
    onClosed = nil
  }
}

@available(*, unavailable)
extension ConnectionMonitor: Sendable {}
