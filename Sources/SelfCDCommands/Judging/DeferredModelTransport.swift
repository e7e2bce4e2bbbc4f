import SelfCD
import SelfCDJudges

/// Loads its model for the first request.
actor DeferredModelTransport: ChatTransport {
  private let load: @Sendable () async throws -> ChatModel
  private var loading: Task<ChatModelTransport, any Error>?

  init(_ load: @escaping @Sendable () async throws -> ChatModel) {
    self.load = load
  }

  func send(_ request: ChatRequest) async throws(ChatTransportFailure) -> ChatResponse {
    let load = load
    let task = loading ?? Task { ChatModelTransport(try await load()) }
    loading = task
    let transport: ChatModelTransport
    do {
      transport = try await task.value
    } catch {
      throw ChatTransportFailure(detail: "\(error)", isRetryable: false)
    }
    return try await transport.send(request)
  }
}
