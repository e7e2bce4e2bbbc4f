import Hummingbird

/// What is served at `/`, to people: for now, a line that says where to go.
enum Playground {
  static func addRoutes(to router: Router<ServerContext>) {
    router.get("/") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
        body: ResponseBody(
          byteBuffer: ByteBuffer(
            string: "SelfCD serves POST /v1/chat/completions; GET /v1/models lists the models.\n")))
    }
  }
}
