/// The names of fields that a request holds and that this server leaves aside, for the response and the metrics.
struct IgnoredFields: Sendable, Hashable {
  /// Most names that a response lists, and characters of each: a client can send thousands.
  static let mostNames = 32
  static let longestName = 64

  /// In the order of the request; a field of messages or parts once for all of them, as in `messages[].id`.
  private(set) var names: [String] = []

  /// - Parameter path: where the field is, such as `messages[3]`.
  mutating func add(_ field: String, in path: String) {
    guard names.count < Self.mostNames else { return }
    let place = path.replacing(/\[\d+\]/, with: "[]")
    insert(String((place.isEmpty ? field : "\(place).\(field)").prefix(Self.longestName)))
  }

  mutating func add(_ other: IgnoredFields) {
    for name in other.names { insert(name) }
  }

  private mutating func insert(_ name: String) {
    guard names.count < Self.mostNames, !names.contains(name) else { return }
    names.append(name)
  }

  /// What the metrics call them. Clients choose the names, so that only those that are known to be sent are labels.
  var labels: Set<String> { Set(names.map { Self.known.contains($0) ? $0 : "other" }) }

  /// Fields that popular clients send and that have no bearing on a reply of this server, the order of the filters
  /// apart, which is always that of ``SamplingParameters``.
  static let known: Set = [
    "cache_prompt", "cache_salt", "id_slot", "include_reasoning", "keep_alive", "models", "num_ctx",
    "plugins",
    "post_sampling_probs", "prediction", "priority", "provider", "reasoning_effort", "reasoning_format",
    "return_progress", "return_token_ids", "return_tokens", "samplers", "sampler_order", "service_tier",
    "store",
    "stream_options.continuous_usage_stats", "think", "thinking", "enable_thinking", "timings_per_token",
    "transforms", "usage", "messages[].id", "messages[].timestamp", "messages[].type", "messages[].createdAt",
    "messages[].metadata",
  ]
}
