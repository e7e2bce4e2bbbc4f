import Hummingbird

/// `GET /health` and `GET /metrics`.
struct StatusRoutes: Sendable {
  let pool: ModelPool
  let metrics: ServerMetrics
  let active: ActiveRequests
  let readiness: Readiness

  static let healthPath = "/health"

  private struct Health: Encodable { let status: String }

  /// Whether requests are taken. Says nothing else, since it needs no key.
  @Sendable func health(_ request: Request, _ context: ServerContext) -> Response {
    if active.isDraining {
      return APIJSON.response(Health(status: "shutting_down"), status: .serviceUnavailable)
    }
    guard readiness.isSet else {
      return APIJSON.response(Health(status: "loading"), status: .serviceUnavailable)
    }
    return APIJSON.response(Health(status: "ok"))
  }

  @Sendable func metrics(_ request: Request, _ context: ServerContext) async -> Response {
    var gauges: [ModelGauges] = []
    for (name, entry) in await pool.loaded() {
      let status = entry.model.chat.engine.status
      let lanes = entry.model.lanes
      // Choices and probes may hold more lanes than requests are counted for.
      let held = status.lanes - status.freeLanes
      gauges.append(
        ModelGauges(
          name: name, waiting: entry.queue.waitingCount, lanes: lanes, freeLanes: max(0, lanes - held),
          cacheLanes: entry.model.capacity.lanes - lanes, cachedTokens: status.cachedTokens,
          computedTokens: status.computedTokens))
    }
    return Response(
      status: .ok, headers: [.contentType: PrometheusPage.contentType, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text(models: gauges))))
  }
}
