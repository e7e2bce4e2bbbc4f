import Logging
import SelfCDSupport

/// What the server tells its operator. Prompts and replies never get here unless they were asked for.
struct ServerLog: Sendable {
  let logger: Logger
  /// Whether prompts and replies may be logged.
  let includesPrompts: Bool

  func error(_ message: String) { logger.error("\(message)") }
  func warning(_ message: String) { logger.warning("\(message)") }
  func info(_ message: String) { logger.info("\(message)") }
  func debug(_ message: String) { logger.debug("\(message)") }

  /// Tells of replies that the end of a stopping server's grace cut short.
  func ended(_ count: Int, after grace: Duration) {
    info(
      "ended \(NumberFormat.counted(count, "reply", "replies")) that "
        + "\(NumberFormat.noun(count, "was", "were")) not finished after \(NumberFormat.parameter(Float(grace.seconds))) s"
    )
  }
}
