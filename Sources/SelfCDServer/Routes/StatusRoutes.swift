import Hummingbird

/// `GET /health` and `GET /metrics`.
struct StatusRoutes: Sendable {
  let pool: ModelPool
  let metrics: ServerMetrics
  let active: ActiveRequests

  private struct Health: Encodable { let status: String }

  /// Whether requests are taken. Says nothing else, since it needs no key.
  @Sendable func health(_ request: Request, _ context: ServerContext) -> Response {
    active.isDraining
      ? APIJSON.response(Health(status: "shutting_down"), status: .serviceUnavailable)
      : APIJSON.response(Health(status: "ok"))
  }

  @Sendable func metrics(_ request: Request, _ context: ServerContext) async -> Response {
    var gauges: [ModelGauges] = []
    for (name, entry) in await pool.loaded() {
      let status = entry.model.chat.engine.status
      gauges.append(
        ModelGauges(
          name: name, waiting: entry.queue.waitingCount, lanes: status.lanes, freeLanes: status.freeLanes,
          cachedTokens: status.cachedTokens, computedTokens: status.computedTokens))
    }
    return Response(
      status: .ok, headers: [.contentType: PrometheusPage.contentType, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text(models: gauges))))
  }
}
