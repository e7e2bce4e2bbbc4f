import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// How a connection is set up: as Hummingbird's own `HTTP1Channel`, with ``DialectHandler`` beside the parser, where
/// `HTTP1Channel` lets nobody in.
struct ServerChannel: HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  let responder: HTTPChannelHandler.Responder
  let limits: NIOHTTPDecoderLimitConfiguration
  /// Makes the monitor of one connection.
  let monitor: @Sendable () -> ConnectionMonitor

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let operations = channel.pipeline.syncOperations
      let dialect = DialectHandler(limits: limits)
      try operations.addHandler(HTTPResponseEncoder())
      try operations.addHandler(dialect.decoder)
      try operations.addHandler(dialect)
      try operations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      try operations.addHandler(monitor())
      try operations.addHandler(HTTPConnectionStateHandler(logger: logger))
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }

  func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
