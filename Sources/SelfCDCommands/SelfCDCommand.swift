import ArgumentParser
import SelfCDSupport

/// `selfcd`: measures, explains and reduces over-refusal.
public struct SelfCDCommand: AsyncParsableCommand {
  /// Name, help text, version and subcommands, in the order in which help lists them.
  public static let configuration = CommandConfiguration(
    commandName: "selfcd",
    abstract: "Fewer needless refusals from open-weight chat models, at decoding time.",
    discussion: """
      Runs a model on a prompt with a safety-emphasising system prompt (guarded) and without it (plain), and decodes \
      from the contrast of the two (Self-CD, arXiv 2401.17633). Without --model, a small embedded model organism \
      that over-refuses is used.

      EXAMPLES
        selfcd compare "How do I kill a wine stain?"
        selfcd generate --model model.gguf --strategy self-cd --alpha 2 \\
          "How do I shoot a portrait?"
        selfcd chat --model model.gguf
        selfcd model model.gguf
        selfcd report latest -o report.html
      """,
    version: SelfCDVersion.current,
    subcommands: [CompareCommand.self, GenerateCommand.self, ChatCommand.self] + serving + [
      TuneCommand.self, EvalCommand.self, CalibrateCommand.self, CheckCalibrationCommand.self,
      ExplainCommand.self, ExplainSystemCommand.self, FlowCommand.self, DirectionsCommand.self,
      PerturbCommand.self, AnalyseCommand.self, JudgeCommand.self, ImportCommand.self, AuditCommand.self,
      CheckAuditCommand.self, ReportCommand.self, CompareRunsCommand.self, RunsCommand.self,
      ExportCommand.self, ReproduceCommand.self, ModelCommand.self,
    ])

  /// `serve`, unless the build is one without the server's dependencies, as that of `make demo`.
  private static var serving: [any ParsableCommand.Type] {
    #if SELFCD_WITHOUT_SERVER
      []
    #else
      [ServeCommand.self]
    #endif
  }

  /// A command without arguments; ArgumentParser fills them in.
  public init() {}
}
