import NIOCore
import NIOHTTP1

/// Brings what clients of different ages send into the one form that the rest of the server knows, HTTP/1.1 and nothing
/// else, and answers them in their own.
///
/// - An offer to go on in another protocol (`Upgrade`, as JDK clients and `curl --http2` make it) is passed over, as a
///   server may (RFC 9110, 7.8). NIO's parser stops for good behind such a request, so that it gets a successor.
/// - HTTP/1.0 knows no chunks and ends a body with the connection (RFC 9112, 6.1).
final class DialectHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>

  /// What reads the connection's bytes; stands before this handler.
  private(set) var decoder: Decoder
  private let limits: NIOHTTPDecoderLimitConfiguration
  /// Whether the parser stops behind the request that is being read.
  private var stopsParser = false
  /// The versions of the requests without a response, in order.
  private var versions = CircularBuffer<HTTPVersion>()

  init(limits: NIOHTTPDecoderLimitConfiguration) {
    self.limits = limits
    decoder = Self.makeDecoder(limits)
  }

  private static func makeDecoder(_ limits: NIOHTTPDecoderLimitConfiguration) -> Decoder {
    // What it has not parsed when it is replaced belongs to its successor.
    ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
  }

  // MARK: - Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(var head):
      stopsParser = Self.stopsParser(head)
      versions.append(head.version)
      if Self.isOld(head.version) {
        // RFC 9110, 10.1.1: no interim response to a client that does not know them.
        head.headers.remove(name: "expect")
        head.headers.replaceOrAdd(name: "connection", value: "close")
      } else if !head.isKeepAlive {
        // However it was written.
        head.headers.replaceOrAdd(name: "connection", value: "close")
      }
      context.fireChannelRead(wrapInboundOut(.head(head)))
    case .body: context.fireChannelRead(data)
    case .end:
      context.fireChannelRead(data)
      if stopsParser { replaceDecoder(context) }
    }
  }

  /// HTTP/1.0; the parser lets nothing older through.
  private static func isOld(_ version: HTTPVersion) -> Bool { version.major == 1 && version.minor == 0 }

  /// Whether the parser takes what follows the request for another protocol; only where that is certain, since a parser
  /// that goes on must not be replaced.
  private static func stopsParser(_ head: HTTPRequestHead) -> Bool {
    if head.method == .CONNECT { return true }
    return head.headers["upgrade"].contains { !$0.isEmpty }
      && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }

  private func replaceDecoder(_ context: ChannelHandlerContext) {
    stopsParser = false
    let (old, successor) = (decoder, Self.makeDecoder(limits))
    let operations = context.pipeline.syncOperations
    do {
      try operations.addHandler(successor, position: .after(old))
    } catch {
      // The connection is being taken down.
      return
    }
    decoder = successor
    let removed = context.eventLoop.makePromise(of: Void.self)
    removed.futureResult.assumeIsolated().whenComplete { _ in
      // Requests among the bytes that were handed over have been passed on outside a read of the channel.
      context.fireChannelReadComplete()
    }
    operations.removeHandler(old, promise: removed)
  }

  // MARK: - Responses

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      if let version = versions.first, Self.isOld(version) { head.version = version }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      _ = versions.popFirst()
      context.write(data, promise: promise)
    }
  }
}

@available(*, unavailable)
extension DialectHandler: Sendable {}
