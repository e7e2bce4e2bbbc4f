import Foundation
import Testing

@testable import SelfCDHTTP
@testable import SelfCDHub

@Suite struct HubNamesTests {
  @Test func referencesAreRead() throws {
    let whole = try HubReference(parsing: "hf:ggml-org/Qwen2.5_x-GGUF@v1:Q4_K_M")
    #expect(whole.repository == "ggml-org/Qwen2.5_x-GGUF")
    #expect(whole.revision == "v1" && whole.quantisation == "Q4_K_M")
    #expect(whole.description == "hf:ggml-org/Qwen2.5_x-GGUF@v1:Q4_K_M")
    let short = try HubReference(parsing: "hf:a/b")
    #expect(short.revision == nil && short.quantisation == nil)
  }

  @Test(arguments: [
    "a/b", "hf:", "hf:a", "hf:a/", "hf:/b", "hf:a/b/c", "hf:a//b", "hf:../b", "hf:a/..", "hf:a/b:", "hf:a/b@",
    "hf:a/b@../x", "hf:a/b:Q4/K", "hf:a b/c", "hf:a/b?x", "hf:ä/b", "hf:a/b@x\n",
  ]) func othersAreNot(_ text: String) {
    #expect(throws: HubError.self) { try HubReference(parsing: text) }
  }

  @Test func theCacheIsFoundAsOtherToolsFindIt() throws {
    func cache(_ environment: [String: String]) throws -> String {
      try HubSettings(environment: environment).cache.path(percentEncoded: false)
    }
    #expect(try cache(["HF_HUB_CACHE": "/a", "HF_HOME": "/b"]) == "/a/")
    #expect(try cache(["HF_HOME": "/b", "XDG_CACHE_HOME": "/c"]) == "/b/hub/")
    #expect(try cache(["HF_HUB_CACHE": "", "XDG_CACHE_HOME": "/c"]) == "/c/huggingface/hub/")
    #expect(try cache([:]).hasSuffix("/.cache/huggingface/hub/"))
  }

  @Test func settingsFromTheEnvironment() throws {
    let plain = try HubSettings(environment: [:])
    #expect(plain.endpoint.absoluteString == "https://huggingface.co" && !plain.isOffline)
    #expect(try HubSettings(environment: ["HF_HUB_OFFLINE": "1"]).isOffline)
    #expect(try !HubSettings(environment: ["HF_HUB_OFFLINE": "0"]).isOffline)
    #expect(throws: HubError.self) { try HubSettings(environment: ["HF_ENDPOINT": "nonsense"]) }
    #expect {
      try HubSettings(environment: ["HF_TOKEN": "hf_secret\nX-Other: 1"])
    } throws: {
      !"\($0)".contains("secret")
    }
    func sendable(_ endpoint: String) throws -> String? {
      try HubSettings(environment: ["HF_TOKEN": "hf_x", "HF_ENDPOINT": endpoint]).sendableToken
    }
    #expect(try sendable("https://mirror.example") == "hf_x")
    #expect(try sendable("http://localhost:1") == "hf_x")
    #expect(try sendable("http://mirror.example") == nil, "not over an open connection")
  }

  @Test func webAddresses() {
    for text in ["http://mirror", "HTTPS://Mirror.example:8443/x"] { #expect(WebAddress.url(text) != nil) }
    for text in ["", "mirror", "mirror:80/x", "ftp://mirror/x", "http:///x", "/x"] {
      #expect(WebAddress.url(text) == nil)
    }
  }

  @Test(arguments: [
    ("https://mirror/x@y?z=a@b", "https://mirror/x@y?z=a@b"),
    ("https://me:secret@mirror:80/x@y", "https://mirror:80/x@y"),
    ("HTTPS://secret@mirror", "HTTPS://mirror"),
    ("ftp://me:sec/ret@mirror/x", "ftp://mirror/x"),
    ("me:secret@mirror", "mirror"),
    ("mirror", "mirror"),
  ]) func addressesAreShownWithoutPasswords(_ text: String, _ shown: String) {
    #expect(WebAddress.withoutUser(text) == shown)
  }

  @Test func wrongAddressesAreShownWithoutPasswords() {
    #expect(
      throws: HubError.invalidSetting(
        name: "HF_ENDPOINT", value: "ftp://hub",
        reason: "it is not a web address, as https://example.org/path is")
    ) { try HubSettings(environment: ["HF_ENDPOINT": "ftp://me:secret@hub"]) }
  }

  @Test func filesNameTheirQuantisationAndPart() throws {
    let split = try #require(GGUFName("d/m-Q4_K_M-00002-of-00010.gguf"))
    #expect(split.tag == "Q4_K_M" && split.part == 2 && split.parts == 10)
    #expect(split.path(part: 10) == "d/m-Q4_K_M-00010-of-00010.gguf")
    let dotted = try #require(GGUFName("m.q8_0.gguf"))
    #expect(dotted.tag == "Q8_0" && dotted.parts == 1 && dotted.path(part: 1) == "m.q8_0.gguf")
    #expect(GGUFName("m-00000-of-00002.gguf")?.parts == 1)
    #expect(GGUFName("m-00003-of-00002.gguf")?.parts == 1)
    #expect(GGUFName("plain.gguf")?.tag == nil)
    #expect(GGUFName("m.bin") == nil)
  }

  @Test(
    arguments: [
      (["a-Q8_0.gguf", "a-Q4_K_M.gguf"], nil, "a-Q4_K_M.gguf", true),
      (["a-F16.gguf", "a-Q8_0.gguf"], nil, "a-Q8_0.gguf", false),
      (["b.gguf", "a-F16.gguf"], nil, "b.gguf", false),
      (["a-Q4_K_M.gguf", "a-Q4_K_S.gguf"], "q4_k_s", "a-Q4_K_S.gguf", true),
      (["a-Q4_K_M.gguf"], "Q4_K", nil, false),
      (["mmproj-Q8_0.gguf", "imatrix-Q8_0.gguf", "x/a-Q8_0.gguf"], "Q8_0", "x/a-Q8_0.gguf", true),
      (
        ["BF16/a-BF16-00002-of-00002.gguf", "BF16/a-BF16-00001-of-00002.gguf"], "BF16",
        "BF16/a-BF16-00001-of-00002.gguf", true
      ),
      (["a.bin"], nil, nil, false), ([], nil, nil, false),
    ] as [([String], String?, String?, Bool)])
  func theModelIsChosenAsLlamaCppDoes(
    _ paths: [String], _ quantisation: String?, _ expected: String?, _ isFirstChoice: Bool
  ) {
    let selection = ModelSelection(among: paths, quantisation: quantisation)
    #expect(selection?.paths.first == expected)
    #expect(selection?.isFirstChoice ?? false == isFirstChoice)
  }

  @Test func credentialsAndRedirections() throws {
    func next(_ location: String, from: String = "https://hub.example/a") throws -> HTTPRequest {
      let url = try #require(URL(string: from))
      return try HTTPClient.redirected(
        HTTPRequest(.get, url, headers: ["authorization": "x", "Range": "y"]),
        by: HTTPHead(status: 302, url: url, headers: ["location": location]))
    }
    #expect(try next("/b").headers.count == 2)
    #expect(try next("/b").url.absoluteString == "https://hub.example/b")
    #expect(try next("https://HUB.example:443/b").headers.count == 2)
    #expect(try next("https://hub.example:444/b").headers == ["Range": "y"])
    #expect(try next("https://other.example/b").headers == ["Range": "y"])
    #expect(try next("https://hub.example/b", from: "http://hub.example/a").headers == ["Range": "y"])
    for bad in ["http://hub.example/b", "file:///etc/passwd", "mailto:x", ""] {
      #expect(throws: HTTPFailure.self) { try next(bad) }
    }
  }

  @Test func serversAskForAWait() throws {
    let url = try #require(URL(string: "http://a"))
    func wait(_ text: String) -> Double? {
      HTTPHead(status: 429, url: url, headers: ["retry-after": text])
        .retryAfter(now: Date(timeIntervalSince1970: 0))
    }
    #expect(wait("7") == 7)
    #expect(wait("Thu, 01 Jan 1970 00:01:00 GMT") == 60)
    #expect(wait("Wed, 31 Dec 1969 00:00:00 GMT") == 0)
    #expect(wait("soon") == nil && wait("-1") == nil && wait("inf") == nil)
  }
}
