import SelfCDEval

/// Puts an evaluation's replies into a run of a store.
public struct RunSink: EvaluationSink {
  private let store: RunStore
  private let runID: String

  /// Makes a sink; the run with its data sets and conditions has to be there.
  public init(_ store: RunStore, runID: String) {
    self.store = store
    self.runID = runID
  }

  /// Keeps replies with their steps and verdicts in one transaction.
  /// - Throws: `StoreError`.
  public func store(_ replies: [EvaluatedReply]) throws {
    try store.add(replies, to: runID)
  }
}
