import Hummingbird
import NIOCore

/// What travels along with a request through the server.
struct ServerContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel
  /// Set by ``AccessMiddleware``.
  var scope: RequestScope
  /// Set by ``KeyMiddleware``; until then, where the request came from.
  var client: Client

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
    scope = RequestScope(timeout: .zero, on: source.channel.eventLoop)
    client = Client(name: source.channel.remoteAddress?.ipAddress ?? "local", limits: ClientLimits())
  }
}
