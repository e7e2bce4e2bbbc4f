import Foundation
import SelfCDHTTP

/// The hub's interface, as far as it is needed.
struct HubAPI: Sendable {
  private static let largestAnswer = 64 << 20
  let settings: HubSettings
  let client: HTTPClient

  /// The commit that a branch, tag or abbreviated commit stands for.
  func commit(of reference: HubReference) async throws -> String {
    struct Answer: Decodable { let sha: String }
    let revision = reference.revision ?? "main"
    let url = address(["api", "models", reference.repository, "revision"], revision, keepsSlashes: false)
    let (head, body) = try await get(url)
    guard head.isSuccess else { throw refusal(head, body, reference) }
    let answer = try decode(Answer.self, body, url)
    guard answer.sha.count == 40, answer.sha.allSatisfy(\.isHexDigit) else {
      throw HubError.unreadableAnswer(
        url: url.shown, detail: "'\(answer.sha.prefix(80))' is no commit")
    }
    return answer.sha
  }

  /// The files at a commit, in the hub's order.
  func files(of reference: HubReference, commit: String) async throws -> [HubFile] {
    var result: [HubFile] = []
    var next: URL? = address(
      ["api", "models", reference.repository, "tree"], commit, query: "recursive=true")
    while let url = next {
      let (head, body) = try await get(url)
      guard head.isSuccess else { throw refusal(head, body, reference) }
      result += try decode([Entry].self, body, url).compactMap(\.file)
      next = head["Link"].flatMap { Self.nextPage($0, relativeTo: url) }
      if next == url { next = nil }
    }
    return result
  }

  /// A request for a file's content.
  func download(_ path: String, of reference: HubReference, commit: String) -> HTTPRequest {
    // Compressed on the way, ranges would count other bytes.
    request(
      address([reference.repository, "resolve", commit], path), headers: ["Accept-Encoding": "identity"])
  }

  /// The error that an answer stands for. The hub says in `X-Error-Code` what its status alone does not: it hides
  /// private repositories behind 401.
  func refusal(_ head: HTTPHead, _ body: Data, _ reference: HubReference) -> HubError {
    struct Answer: Decodable { let error: String }
    let hub = WebAddress.withoutUser(Self.trimmed(settings.endpoint))
    let hasToken = settings.sendableToken != nil
    let detail = String(
      (head["X-Error-Message"] ?? (try? JSONDecoder().decode(Answer.self, from: body))?.error ?? "").prefix(
        300))
    let code = head["X-Error-Code"] ?? ""
    switch (head.status, code) {
    case (_, "GatedRepo"):
      return .noAccess(repository: reference.repository, endpoint: hub, hasToken: hasToken, detail: detail)
    case (_, "RevisionNotFound"):
      return .noSuchRevision(reference.revision ?? "main", repository: reference.repository)
    case (_, "RepoNotFound"), (404, _):
      return .noSuchRepository(reference.repository, endpoint: hub, hasToken: hasToken)
    case (401, _), (403, _):
      return .noAccess(repository: reference.repository, endpoint: hub, hasToken: hasToken, detail: detail)
    default: return .refused(status: head.status, url: head.url.shown, detail: detail)
    }
  }

  // MARK: - Requests

  private func get(_ url: URL) async throws -> (HTTPHead, Data) {
    try await client.data(request(url, headers: ["Accept": "application/json"]), limit: Self.largestAnswer)
  }

  private func request(_ url: URL, headers: [String: String]) -> HTTPRequest {
    var headers = headers
    // Also on the next page of a listing, but never to where a page might point elsewhere.
    if let token = settings.sendableToken, url.host == settings.endpoint.host,
      url.port == settings.endpoint.port, url.scheme == settings.endpoint.scheme
    {
      headers["Authorization"] = "Bearer \(token)"
    }
    headers["User-Agent"] = "selfcd"
    return HTTPRequest(.get, url, headers: headers)
  }

  private func address(_ parts: [String], _ last: String, keepsSlashes: Bool = true, query: String = "")
    -> URL
  {
    let unreserved = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\0"..."\u{7F}"))
      .union(CharacterSet(charactersIn: keepsSlashes ? "-._~/" : "-._~"))
    let encoded = last.addingPercentEncoding(withAllowedCharacters: unreserved) ?? last
    let text = ([Self.trimmed(settings.endpoint)] + parts + [encoded]).joined(separator: "/")
    // Everything in it was checked or encoded.
    return URL(string: query.isEmpty ? text : text + "?" + query) ?? settings.endpoint
  }

  private static func trimmed(_ endpoint: URL) -> String {
    var text = endpoint.absoluteString
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

  private static func nextPage(_ link: String, relativeTo url: URL) -> URL? {
    for part in link.split(separator: ",") where part.contains("rel=\"next\"") {
      guard let start = part.firstIndex(of: "<"), let end = part.firstIndex(of: ">"), start < end else {
        continue
      }
      return URL(string: String(part[part.index(after: start)..<end]), relativeTo: url)?.absoluteURL
    }
    return nil
  }

  // MARK: - Answers

  private struct Entry: Decodable {
    struct Large: Decodable {
      let oid: String
      let size: Int64?
    }
    let type: String
    let path: String
    let oid: String?
    let size: Int64?
    let lfs: Large?

    /// Nil for folders and for what could not be put safely below a folder.
    var file: HubFile? {
      guard type == "file", SafePath.isSafe(path), let size = lfs?.size ?? size, size >= 0 else { return nil }
      if let lfs {
        guard Self.isHex(lfs.oid, 64) else { return nil }
        return HubFile(path: path, size: size, checksum: .sha256(lfs.oid.lowercased()))
      }
      guard let oid, Self.isHex(oid, 40) else { return nil }
      return HubFile(path: path, size: size, checksum: .gitBlob(oid.lowercased()))
    }

    private static func isHex(_ text: String, _ count: Int) -> Bool {
      text.utf8.count == count && text.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
  }

  private func decode<Value: Decodable>(_ type: Value.Type, _ body: Data, _ url: URL) throws(HubError)
    -> Value
  {
    do {
      return try JSONDecoder().decode(type, from: body)
    } catch {
      throw .unreadableAnswer(url: url.shown, detail: "its answer is not the JSON expected")
    }
  }
}
