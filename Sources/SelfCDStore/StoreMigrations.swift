internal import GRDB

/// The store's schema, as named steps. Steps are only ever added at the end: a step that files in the field have
/// passed is history and never changes, or two files of the same version would differ.
enum StoreMigrations {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 runs, samples, replies, verdicts", migrate: runsSamplesRepliesVerdicts)
    migrator.registerMigration("2 verdict cache", migrate: verdictCache)
    migrator.registerMigration("3 cost", migrate: cost)
    migrator.registerMigration("4 replies of reasoning alone", migrate: onlyReasoning)
    return migrator
  }

  /// A reply's text is a blob of UTF-8: models can write zero bytes, at which SQLite's text ends when it is read.
  /// Everything else that comes from outside is inside JSON, which escapes them.
  private static func runsSamplesRepliesVerdicts(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE run (
          id TEXT PRIMARY KEY NOT NULL,
          startedAt REAL NOT NULL,
          finishedAt REAL,
          codeVersion TEXT NOT NULL,
          model TEXT NOT NULL CHECK (json_valid(model)),
          parameters TEXT NOT NULL CHECK (json_valid(parameters)),
          seeds TEXT NOT NULL CHECK (json_valid(seeds)),
          machine TEXT NOT NULL CHECK (json_valid(machine)),
          planned INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE dataset (
          id INTEGER PRIMARY KEY,
          runID TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
          name TEXT NOT NULL,
          version TEXT,
          sha256 TEXT NOT NULL,
          format TEXT NOT NULL,
          skipped TEXT NOT NULL CHECK (json_valid(skipped)),
          UNIQUE (runID, name)
        ) STRICT;
        CREATE TABLE sample (
          id INTEGER PRIMARY KEY,
          datasetID INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          label TEXT,
          category TEXT,
          value TEXT NOT NULL CHECK (json_valid(value)),
          UNIQUE (datasetID, key)
        ) STRICT;
        CREATE TABLE condition (
          id INTEGER PRIMARY KEY,
          runID TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          strategy TEXT NOT NULL,
          alpha REAL,
          parameters TEXT NOT NULL CHECK (json_valid(parameters)),
          UNIQUE (runID, key)
        ) STRICT;
        CREATE TABLE reply (
          id INTEGER PRIMARY KEY,
          sampleID INTEGER NOT NULL REFERENCES sample(id) ON DELETE CASCADE,
          conditionID INTEGER NOT NULL REFERENCES condition(id) ON DELETE CASCADE,
          repetition INTEGER NOT NULL,
          text BLOB NOT NULL,
          stopReason TEXT NOT NULL,
          seed TEXT,
          UNIQUE (sampleID, conditionID, repetition)
        ) STRICT;
        CREATE INDEX replyByCondition ON reply(conditionID);
        CREATE TABLE step (
          replyID INTEGER NOT NULL REFERENCES reply(id) ON DELETE CASCADE,
          number INTEGER NOT NULL,
          token INTEGER NOT NULL,
          divergence REAL,
          guarded REAL,
          plain REAL,
          PRIMARY KEY (replyID, number)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE verdict (
          replyID INTEGER NOT NULL REFERENCES reply(id) ON DELETE CASCADE,
          judge TEXT NOT NULL,
          version TEXT NOT NULL,
          class TEXT NOT NULL,
          value TEXT NOT NULL CHECK (json_valid(value)),
          PRIMARY KEY (replyID, judge, version)
        ) STRICT, WITHOUT ROWID;
        """)
  }

  /// What replies cost in tokens, where it was kept, and how fast conditions decoded alone.
  private static func cost(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE reply ADD COLUMN promptTokens INTEGER;
        ALTER TABLE reply ADD COLUMN generatedTokens INTEGER;
        ALTER TABLE reply ADD COLUMN decodedTokens INTEGER;
        CREATE TABLE speed (
          runID TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
          condition TEXT NOT NULL,
          tokensPerSecond REAL NOT NULL,
          PRIMARY KEY (runID, condition)
        ) STRICT, WITHOUT ROWID;
        """)
  }

  /// The reasoning itself is not kept, so that without this an empty reply behind it would look like any empty one.
  private static func onlyReasoning(_ db: Database) throws {
    try db.execute(sql: "ALTER TABLE reply ADD COLUMN onlyReasoning INTEGER NOT NULL DEFAULT 0")
  }

  /// Not tied to runs: the same reply in another run has the same verdict.
  private static func verdictCache(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE verdictCache (
          exchange TEXT NOT NULL,
          judge TEXT NOT NULL,
          version TEXT NOT NULL,
          value TEXT NOT NULL CHECK (json_valid(value)),
          PRIMARY KEY (exchange, judge, version)
        ) STRICT, WITHOUT ROWID;
        """)
  }
}
