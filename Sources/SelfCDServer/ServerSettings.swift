import SelfCDSupport

/// Where and how a server answers.
public struct ServerSettings: Sendable {
  /// The address that is listened on; one that is not loopback needs API keys.
  public var host: String
  /// 0 takes a free one.
  public var port: Int
  /// The path of a Unix domain socket to listen on instead of `host` and `port`; the file's permissions, which follow the
  /// process's umask, say who may connect.
  public var unixSocket: String?
  /// Names, without ports, that the `Host` of a request may have besides those of loopback.
  public var allowedHosts: [String]
  /// Origins of other pages, apps and extensions that may use the server, as `scheme://host[:port]`; none by default.
  public var corsOrigins: [String]
  /// Bytes of a request's body.
  public var maximumBody: Int
  /// Seconds from the request to the end of its response.
  public var requestTimeout: Double
  /// Seconds for a request's body to arrive.
  public var bodyTimeout: Double
  /// Seconds that a connection stays open on which nothing is asked for.
  public var idleTimeout: Double
  /// Seconds after which a stream that has nothing to say is sent a comment, so that nobody on the way takes it for dead.
  public var keepAlive: Double
  /// Seconds that running requests are given at shutdown.
  public var grace: Double
  /// Requests that may wait for lanes, for each model.
  public var queueLimit: Int
  /// Connections at a time.
  public var maximumConnections: Int
  /// Bytes of all loaded models together; `nil` for no limit.
  public var memoryBudget: Int?
  /// Limits of clients where there are no keys.
  public var limits: ClientLimits
  /// Seconds between looks at the profiles' files; 0 looks only when told.
  public var watchInterval: Double
  /// Whether prompts may be logged.
  public var logsPrompts: Bool

  /// Makes settings of what is named and defaults that serve this machine alone.
  ///
  /// Times are in seconds, sizes in bytes.
  public init(
    host: String = "127.0.0.1", port: Int = 8080, unixSocket: String? = nil, allowedHosts: [String] = [],
    corsOrigins: [String] = [], maximumBody: Int = 1 << 20, requestTimeout: Double = 300,
    bodyTimeout: Double = 30,
    idleTimeout: Double = 60, keepAlive: Double = 15, grace: Double = 10, queueLimit: Int = 128,
    maximumConnections: Int = 1024, memoryBudget: Int? = nil,
    limits: ClientLimits = ClientLimits(), watchInterval: Double = 2, logsPrompts: Bool = false
  ) {
    self.host = host
    self.port = port
    self.unixSocket = unixSocket
    self.allowedHosts = allowedHosts
    self.corsOrigins = corsOrigins
    self.maximumBody = maximumBody
    self.requestTimeout = requestTimeout
    self.bodyTimeout = bodyTimeout
    self.idleTimeout = idleTimeout
    self.keepAlive = keepAlive
    self.grace = grace
    self.queueLimit = queueLimit
    self.maximumConnections = maximumConnections
    self.memoryBudget = memoryBudget
    self.limits = limits
    self.watchInterval = watchInterval
    self.logsPrompts = logsPrompts
  }

  /// Whether only programs of this machine can reach the server.
  public var isLoopback: Bool {
    if unixSocket != nil || host == "localhost" || host == "::1" { return true }
    // A name such as 127.example.org may lead anywhere.
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isNumber) }
  }

  /// - Parameter keys: the API keys there are.
  /// - Throws: ``ServerError`` for settings that are unsafe or make no sense.
  func validate(keys: APIKeys) throws(ServerError) {
    guard isLoopback || !keys.isEmpty else { throw .keysRequired(host: host) }
    guard (0...65_535).contains(port) else { throw .badSetting("port", "\(port)", "0 to 65535") }
    if let unixSocket, !(1...ListeningSocket.longestPath).contains(unixSocket.utf8.count) {
      throw .badSetting(
        "path of the Unix socket", unixSocket, "1 to \(ListeningSocket.longestPath) bytes long")
    }
    let positive: [(String, Double)] = [
      ("request timeout", requestTimeout), ("body timeout", bodyTimeout), ("idle timeout", idleTimeout),
      ("keep-alive interval", keepAlive), ("body limit", Double(maximumBody)),
      ("number of connections", Double(maximumConnections)),
    ]
    for (name, value) in positive where !(value > 0 && value < 1e12) {
      throw .badSetting(name, "\(value)", "greater than 0")
    }
    guard queueLimit >= 0 else { throw .badSetting("queue limit", "\(queueLimit)", "0 or more") }
    guard (0...86_400).contains(grace) else { throw .badSetting("grace", "\(grace)", "0 to 86400 s") }
    for origin in corsOrigins where Origin(origin) == nil {
      throw .badSetting(
        "origin", origin,
        "scheme://host or scheme://host:port, like https://chat.example or app://obsidian.md, without a path")
    }
  }
}

/// Why a server does not start.
public enum ServerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The address can be reached from other machines and there are no API keys.
  case keysRequired(host: String)
  /// A setting's name, its value and the range it has to be in, all in words.
  case badSetting(String, String, String)
  /// Another program listens on the port.
  case addressInUse(host: String, port: Int)
  /// Another program listens on the Unix socket.
  case socketInUse(path: String)
  /// The Unix socket cannot be made, with the reason.
  case cannotMakeSocket(path: String, reason: String)
  /// The system does not let the address be listened on, with its reason.
  case cannotBind(host: String, port: Int, reason: String)
  /// No model was given.
  case noModels
  /// Two models have this name, so that clients could not tell them apart.
  case sameName(String)
  /// A profile of this model cannot be read, or is another model's.
  case unusableProfile(model: String, reason: String)
  /// A profile was made for other weights than those that are loaded.
  case otherWeights(model: String, profile: String)
  /// A model's file is missing or damaged, with what is wrong.
  case unreadableModel(model: String, reason: String)
  /// A strategy that clients of this model get, or may ask for, needs more lanes than requests have.
  case tooFewLanes(model: String, strategy: String, needed: Int, lanes: Int)
  /// The first model, before the server was ready.
  case notLoaded(model: String)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .keysRequired(let host):
      """
      Whoever can reach \(host) could use this server, so it needs API keys (--api-keys FILE, or the environment \
      variable SELFCD_API_KEYS). Without keys it serves this machine only: --host 127.0.0.1.
      """
    case .badSetting(let name, let value, let allowed): "The \(name) is \(value), but it must be \(allowed)."
    case .addressInUse(let host, let port):
      "Port \(port) of \(host) is in use. Stop what uses it, or choose another with --port."
    case .socketInUse(let path):
      "Another program listens on \(path). Stop it, or choose another path with --unix-socket."
    case .cannotMakeSocket(let path, let reason): "The Unix socket \(path) cannot be made: \(reason)."
    case .cannotBind(let host, let port, let reason): "\(host):\(port) cannot be bound: \(reason)."
    case .noModels: "There is no model to serve."
    case .sameName(let name): "Two models are named '\(name)'. Give each a name of its own."
    case .unusableProfile(let model, let reason): "A profile of '\(model)' cannot be used: \(reason)"
    case .otherWeights(let model, let profile):
      "The profile '\(profile)' is for other weights than those of '\(model)' that are loaded: the model's file was replaced. "
        + "Restart the server, with a profile that 'selfcd calibrate' made for the new file."
    case .unreadableModel(let model, let reason): "The model '\(model)' cannot be loaded: \(reason)"
    case .tooFewLanes(let model, let strategy, let needed, let lanes):
      "'\(strategy)' needs \(NumberFormat.counted(needed, "lane")), but '\(model)' has \(lanes). Serve it with --lanes "
        + "\(needed), or with a strategy of one lane."
    case .notLoaded(let model): "The model '\(model)' cannot be loaded; the line above says why."
    }
  }
}
