import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SelfCDSupport

/// The page at `/`, for people: static files that were read once, under a policy that lets them load nothing else.
struct Playground: Sendable {
  struct File: Sendable {
    let type: String
    let body: ByteBuffer
    /// Changes with the file, so that browsers ask again without fetching again.
    let tag: String
  }

  private let files: [String: File]

  var isEmpty: Bool { files.isEmpty }

  private static let page = "index.html"
  private static let types = [
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
  ]

  /// Scripts, styles, images and requests of this server only; no other page may frame it.
  static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'
    """

  /// Reads the files; an installation without them serves the API alone.
  init(folders: [URL] = InstalledResources.folders(ofTarget: "SelfCDServer")) {
    let folder = folders.map { $0.appending(path: "playground") }
      .first { FileManager.default.fileExists(atPath: $0.appending(path: Self.page).path) }
    let found = folder.flatMap {
      try? FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
    }
    files = (found ?? []).reduce(into: [:]) { files, url in
      guard let type = Self.types[url.pathExtension], let data = try? Data(contentsOf: url) else { return }
      let hash = SHA256.hash(data: data).prefix(8).hexadecimal
      files[url.lastPathComponent] = File(type: type, body: ByteBuffer(bytes: data), tag: "\"\(hash)\"")
    }
  }

  func addRoutes(to router: Router<ServerContext>) {
    router.only(.get, "/") { request, _ in
      guard let page = files[Self.page] else {
        return Response(
          status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
          body: ResponseBody(
            byteBuffer: ByteBuffer(
              string:
                "SelfCD serves POST /v1/chat/completions; the page that belongs here is not installed.\n")))
      }
      return response(page, to: request)
    }
    router.only(.get, "/playground/{file}") { request, context in
      guard let name = context.parameters.get("file"), name != Self.page, let file = files[name] else {
        throw APIError.notFound("There is no such file in the playground.", code: "unknown_url")
      }
      return response(file, to: request)
    }
  }

  private func response(_ file: File, to request: Request) -> Response {
    var headers: HTTPFields = [
      .contentType: file.type, .eTag: file.tag, .cacheControl: "no-cache",
      .contentSecurityPolicy: Self.policy,
    ]
    for (name, value) in [("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin")] {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    guard request.headers[.ifNoneMatch] != file.tag else {
      return Response(status: .notModified, headers: headers)
    }
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.body))
  }
}
