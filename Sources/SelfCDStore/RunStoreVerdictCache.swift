internal import GRDB
import SelfCDJudges

/// Verdicts outlive the runs they were made for: another run with the same reply finds them.
extension RunStore: VerdictCache {
  /// The verdict kept under `key`; nil without one.
  /// - Throws: `StoreError`.
  public func verdict(for key: VerdictKey) throws(StoreError) -> Verdict? {
    try read { db in
      try String.fetchOne(
        db, sql: "SELECT value FROM verdictCache WHERE exchange = ? AND judge = ? AND version = ?",
        arguments: [key.exchange, key.judge, key.version]
      ).map { try JSONText.decode(Verdict.self, $0, "a verdict") }
    }
  }

  /// Keeps a verdict; one that is there already stays.
  /// - Throws: `StoreError`.
  public func keep(_ verdict: Verdict, for key: VerdictKey) throws(StoreError) {
    try write { db in
      try db.execute(
        sql: """
          INSERT INTO verdictCache (exchange, judge, version, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
          """,
        arguments: [key.exchange, key.judge, key.version, try JSONText.encode(verdict, "a verdict")])
    }
  }
}
