import Foundation

/// A server for tests: a Python script that prints its port on its first line and serves until its input ends.
package final class ScriptServer: Sendable {
  /// Where it answers.
  package let url: URL
  private let process: Process
  /// The script ends when this closes, so that it does not outlive tests that crash.
  private let lifeline = Pipe()

  /// The servers there are, by their scripts in `Servers`.
  package enum Script: String, Sendable {
    /// A model hub with repositories that misbehave.
    case hub = "hub_server"
    /// A chat-completions endpoint whose models misbehave.
    case chat = "chat_server"
  }

  /// Starts a server.
  /// - Throws: `ScriptServerError` if it does not come up; what starting a process throws.
  package init(_ script: Script) throws {
    guard
      let file = Bundle.module.url(
        forResource: script.rawValue, withExtension: "py", subdirectory: "Servers")
    else { throw ScriptServerError(script: script.rawValue) }
    process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", file.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = lifeline
    try process.run()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) {
      guard !byte.isEmpty else { break }
      line += byte
    }
    guard let port = Int(String(decoding: line, as: UTF8.self)),
      let url = URL(string: "http://127.0.0.1:\(port)")
    else {
      process.terminate()
      throw ScriptServerError(script: script.rawValue)
    }
    self.url = url
  }

  deinit { process.terminate() }
}

/// A server that printed no port.
package struct ScriptServerError: Error, Sendable {
  /// The script's name.
  package let script: String
}
