import Foundation
import SelfCD
import SelfCDJudges
import Synchronization

/// Counters and histograms of a server, in the text format of Prometheus (version 0.0.4).
///
/// Labels are names the operator chose or this program knows, never text of a request: their number is
/// bounded.
final class ServerMetrics: Sendable {
  struct RequestLabels: Hashable {
    let endpoint: String
    let status: Int
  }

  struct DecodingLabels: Hashable {
    let model: String
    let strategy: String
  }

  struct VerdictLabels: Hashable {
    let decoding: DecodingLabels
    let judge: String
    let verdict: String
  }

  private struct State {
    var requests: [RequestLabels: Int] = [:]
    var requestSeconds: [String: Histogram] = [:]
    var inFlight = 0
    var rejected: [String: Int] = [:]
    var cancelled: [String: Int] = [:]
    var closedConnections: [String: Int] = [:]
    var generated: [DecodingLabels: Int] = [:]
    var prompt: [DecodingLabels: Int] = [:]
    var prefilled: [DecodingLabels: Int] = [:]
    var decoded: [DecodingLabels: Int] = [:]
    var plainWork: [DecodingLabels: Int] = [:]
    var replies: [DecodingLabels: Int] = [:]
    var firstToken: [DecodingLabels: Histogram] = [:]
    var verdicts: [VerdictLabels: Int] = [:]
    var recent = RateWindow()
    var reloads: [String: Int] = [:]
    var ignored: [String: Int] = [:]
  }

  private let state = Mutex(State())

  func requestStarted() { state.withLock { $0.inFlight += 1 } }

  func requestEnded(endpoint: String, status: Int, seconds: Double) {
    state.withLock { state in
      state.inFlight -= 1
      state.requests[RequestLabels(endpoint: endpoint, status: status), default: 0] += 1
      state.requestSeconds[endpoint, default: Histogram(bounds: Histogram.seconds)].observe(seconds)
    }
  }

  var inFlight: Int { state.withLock { $0.inFlight } }

  func rejected(_ reason: String) { state.withLock { $0.rejected[reason, default: 0] += 1 } }
  func endedEarly(_ cause: RequestScope.Cause) {
    state.withLock { $0.cancelled["\(cause)", default: 0] += 1 }
  }
  func closedConnection(_ why: ForcedEnd) {
    state.withLock { $0.closedConnections[why.rawValue, default: 0] += 1 }
  }
  func ignored(_ fields: IgnoredFields) {
    guard !fields.names.isEmpty else { return }
    state.withLock { state in
      for label in fields.labels { state.ignored[label, default: 0] += 1 }
    }
  }
  func reloaded(_ outcome: String) { state.withLock { $0.reloads[outcome, default: 0] += 1 } }

  /// Tokens, as they are generated: the rate over the last seconds.
  func generatedToken() { state.withLock { $0.recent.add(1, at: Self.now) } }

  func finished(_ summary: GenerationSummary, _ labels: DecodingLabels) {
    state.withLock { state in
      state.replies[labels, default: 0] += 1
      state.generated[labels, default: 0] += summary.generatedTokens
      state.prompt[labels, default: 0] += summary.promptTokens.values.reduce(0, +)
      state.prefilled[labels, default: 0] += summary.prefilledTokens
      state.decoded[labels, default: 0] += summary.decodedTokens
      // The last token of a reply is chosen and not decoded, in any strategy.
      state.plainWork[labels, default: 0] += max(0, summary.generatedTokens - 1)
      if summary.generatedTokens > 0 {
        state.firstToken[labels, default: Histogram(bounds: Histogram.seconds)]
          .observe(summary.timeToFirstToken.seconds)
      }
    }
  }

  /// - Parameter verdict: `nil` for a reply that was cut at its most tokens and had refused nothing until then.
  func judged(_ verdict: ReplyClass?, by judge: String, _ labels: DecodingLabels) {
    let labels = VerdictLabels(decoding: labels, judge: judge, verdict: verdict?.rawValue ?? "cut")
    state.withLock { $0.verdicts[labels, default: 0] += 1 }
  }

  private static var now: Int { Int(ProcessInfo.processInfo.systemUptime) }

  // MARK: - Text

  /// What a scrape gets.
  func text(models: [ModelGauges]) -> String {
    state.withLock { state in
      var page = PrometheusPage()
      page.counter("selfcd_requests_total", "Answered requests.", state.requests) {
        [("endpoint", $0.endpoint), ("status", String($0.status))]
      }
      page.gauge("selfcd_requests_in_flight", "Requests being answered.", [((), Double(state.inFlight))]) {
        _ in []
      }
      page.histogram(
        "selfcd_request_seconds", "Time from request to the end of the response.", state.requestSeconds
      ) {
        [("endpoint", $0)]
      }
      page.counter("selfcd_requests_rejected_total", "Requests turned away, by reason.", state.rejected) {
        [("reason", $0)]
      }
      page.counter(
        "selfcd_requests_ended_early_total", "Requests that ended before their reply was complete, by cause.",
        state.cancelled
      ) { [("cause", $0)] }
      page.counter(
        "selfcd_connections_closed_total", "Connections that the server closed without an answer, by cause.",
        state.closedConnections
      ) { [("cause", $0)] }
      page.counter("selfcd_reloads_total", "Reloads of profiles and keys, by outcome.", state.reloads) {
        [("outcome", $0)]
      }

      page.counter(
        "selfcd_ignored_fields_total",
        "Requests with a field that was left aside, by its name; other for names that are not known.",
        state.ignored
      ) { [("field", $0)] }

      page.counter("selfcd_replies_total", "Generations that ended.", state.replies, Self.decoding)
      page.counter("selfcd_generated_tokens_total", "Tokens chosen.", state.generated, Self.decoding)
      page.counter(
        "selfcd_prompt_tokens_total", "Tokens of prompts, all lanes together.", state.prompt, Self.decoding)
      page.counter(
        "selfcd_prefilled_tokens_total",
        "Tokens of prompts that had to be computed; the rest was cached or shared.",
        state.prefilled, Self.decoding)
      page.counter(
        "selfcd_decoded_tokens_total",
        "Tokens decoded behind prompts, all lanes together: the work of decoding.",
        state.decoded, Self.decoding)
      let cost = state.plainWork.compactMap { labels, count in
        count > 0 ? (labels, Double(state.decoded[labels] ?? 0) / Double(count)) : nil
      }
      page.gauge(
        "selfcd_contrast_cost_ratio",
        "Tokens decoded for each that plain decoding would decode; 1 is its cost.", cost,
        Self.decoding)
      page.gauge(
        "selfcd_tokens_per_second", "Tokens chosen a second over the last \(RateWindow.length) seconds.",
        [((), state.recent.rate(at: Self.now))]
      ) { _ in [] }
      page.histogram(
        "selfcd_time_to_first_token_seconds", "Time from admission to a generation's first token.",
        state.firstToken, Self.decoding)
      page.counter("selfcd_judged_replies_total", "Chat replies by a local judge's verdict.", state.verdicts)
      {
        Self.decoding($0.decoding) + [("judge", $0.judge), ("verdict", $0.verdict)]
      }

      func gauge(_ name: String, _ help: String, _ value: (ModelGauges) -> Int) {
        page.gauge(name, help, models.map { ($0.name, Double(value($0))) }) { [("model", $0)] }
      }
      gauge("selfcd_queue_length", "Requests that wait for lanes.", \.waiting)
      gauge("selfcd_lanes", "Lanes of a loaded model that requests get (--lanes).", \.lanes)
      gauge("selfcd_lanes_free", "Lanes of these that no generation holds.", \.freeLanes)
      gauge(
        "selfcd_cache_lanes", "Lanes besides, that keep beginnings of prompts (--cache-lanes).", \.cacheLanes)
      gauge("selfcd_cached_prefix_tokens", "Tokens kept in lanes that no generation holds.", \.cachedTokens)
      page.counter(
        "selfcd_computed_tokens_total", "Tokens the model has computed, prompts included.",
        Dictionary(models.map { ($0.name, $0.computedTokens) }) { first, _ in first }
      ) { [("model", $0)] }
      if let bytes = ProcessMemory.resident {
        page.gauge("process_resident_memory_bytes", "Resident memory.", [((), Double(bytes))]) { _ in [] }
      }
      return page.text
    }
  }

  private static func decoding(_ labels: DecodingLabels) -> [(String, String)] {
    [("model", labels.model), ("strategy", labels.strategy)]
  }
}

/// What a loaded model looks like at the moment of a scrape.
struct ModelGauges: Sendable {
  let name: String
  let waiting: Int
  /// Those that requests get.
  let lanes: Int
  let freeLanes: Int
  let cacheLanes: Int
  let cachedTokens: Int
  let computedTokens: Int
}

/// Memory of this process, where the system tells.
enum ProcessMemory {
  static var resident: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
