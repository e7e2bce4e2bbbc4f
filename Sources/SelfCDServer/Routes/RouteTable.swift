import Hummingbird

/// What the server answers: every path, with what a request passes through on its way there.
extension InferenceServer {
  func router() -> Router<ServerContext> {
    let router = Router(context: ServerContext.self, options: [.autoGenerateHeadEndpoints])
    let origins = Set(settings.corsOrigins.compactMap(Origin.init))
    router.add(
      middleware: AccessMiddleware(
        timeout: .seconds(settings.requestTimeout), active: active, metrics: metrics, log: log,
        origins: origins))
    router.add(middleware: GuardMiddleware(requestGuard: RequestGuard(hosts: hosts, origins: origins)))
    let status = StatusRoutes(pool: pool, metrics: metrics, active: active, readiness: readiness)
    router.only(.get, RouterPath(StatusRoutes.healthPath), status.health)
    playground.addRoutes(to: router)

    let keyed = router.group()
      .add(middleware: KeyMiddleware(keys: keyRing, meter: meter, metrics: metrics, limits: settings.limits))
    let body = BodyReader(limit: settings.maximumBody, timeout: .seconds(settings.bodyTimeout))
    let models = ModelRoutes(pool: pool, policy: service.policy)
    keyed.only(.get, "/metrics", status.metrics)

    let ready = keyed.group().add(middleware: ReadinessMiddleware(readiness: readiness))
    ready.only(.get, "/v1/models", models.list)
    // Names of models may have slashes.
    ready.only(.get, "/v1/models/**", models.one)
    ready.only(.get, "/selfcd/policy", models.policy)
    ready.only(.post, "/v1/chat/completions", ChatRoute(service: service, body: body).handle)
    ready.only(.post, "/v1/completions", CompletionRoute(service: service, body: body).handle)
    ready.only(.post, "/tokenize", TokenizeRoute(service: service, body: body).handle)
    return router
  }

  /// On loopback the names of loopback, since a page elsewhere must not reach the server under its own name.
  /// Anywhere else keys are required, and a name is only checked where the operator lists some.
  private var hosts: Set<String> {
    let named = Set(settings.allowedHosts.map { $0.lowercased() })
    guard settings.isLoopback else { return named.isEmpty ? [] : named.union(RequestGuard.loopbackHosts) }
    return named.union(RequestGuard.loopbackHosts).union([settings.host.lowercased()])
  }
}
