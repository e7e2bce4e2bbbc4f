import Foundation
import Testing

/// Real clients against the real server, where they are installed: too large for everybody's test run.
@Suite("clients")
struct ClientScriptTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let python = environment["SELFCD_CLIENTS_PYTHON"]
  private static let browserPython = environment["SELFCD_BROWSER_PYTHON"]

  @Test(
    "openai, curl, LangChain, lm-eval and inspect_ai work unchanged",
    .enabled(
      if: ClientScriptTests.python != nil,
      "SELFCD_CLIENTS_PYTHON names no Python with Scripts/requirements-clients.txt installed"))
  func clients() throws { try Self.run("check_clients.py", with: Self.python) }

  @Test(
    "the playground works in headless Chromium",
    .enabled(
      if: ClientScriptTests.browserPython != nil,
      "SELFCD_BROWSER_PYTHON names no Python with websocket-client, beside an installed Chromium"))
  func playground() throws { try Self.run("check_playground.py", with: Self.browserPython) }

  @Test(
    "the report's list of replies works in headless Chromium",
    .enabled(
      if: ClientScriptTests.browserPython != nil,
      "SELFCD_BROWSER_PYTHON names no Python with websocket-client, beside an installed Chromium"))
  func report() throws { try Self.run("check_report_page.py", with: Self.browserPython) }

  private static func run(_ script: String, with python: String?) throws {
    let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Scripts")
    let binary: URL = try #require(CommandLineTests.binary, "selfcd is not built")
    let process = Process()
    process.executableURL = URL(filePath: try #require(python))
    process.arguments = [
      scripts.appending(path: script).standardizedFileURL.path, "--selfcd", binary.path,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: data, as: UTF8.self))")
  }
}
