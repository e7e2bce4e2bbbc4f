import Foundation
import Testing

/// Where the real binary keeps things, whatever the environment says of the home folder.
@Suite struct HomeFolderTests {
  private static let variables = [
    "HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN",
  ]

  /// A folder of its own, with a space in its name.
  private final class Place {
    let folder: URL

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "self cd \(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var path: String { folder.path }

    func exists(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: folder.appending(path: name).path)
    }

    func prompts(_ name: String = "safe.csv") throws -> String {
      let file = folder.appending(path: name)
      try Data("prompt\nHow do I kill weeds?\n".utf8).write(to: file)
      return file.path
    }
  }

  private static func run(
    _ arguments: [String], _ environment: [String: String]
  ) throws -> CommandLineTests.Outcome {
    try CommandLineTests.run(arguments, environment: environment, without: variables)
  }

  private static func smallRun(_ prompts: String) -> [String] {
    ["eval", "--safe", prompts, "--strategies", "plain", "-n", "4", "--timing", "0", "--run", "r"]
  }

  /// The folder that the account's entry names, for where the environment does not say it.
  private static let account = FileManager.default.homeDirectoryForCurrentUser.path

  /// What `selfcd runs` says of a store that is not there, and what an offline hub says of its cache.
  private static func folders(_ environment: [String: String]) throws -> (store: String, hub: String) {
    let runs = try run(["runs", "list"], environment)
    let model = try run(
      ["model", "hf:owner/repository"], environment.merging(["HF_HUB_OFFLINE": "1"]) { $1 })
    #expect(model.status == 1)
    return (runs.errors, model.errors)
  }

  @Test func everythingIsUnderHome() throws {
    let place = try Place()
    let found = try Self.folders(["HOME": place.path])
    #expect(found.store.contains("\(place.path)/.local/share/selfcd/runs.sqlite."), "\(found.store)")
    #expect(found.hub.contains("\(place.path)/.cache/huggingface/hub"), "\(found.hub)")
    let outcome = try Self.run(Self.smallRun(try place.prompts()), ["HOME": place.path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(place.exists(".local/share/selfcd/runs.sqlite"))
    let again = try Self.run(["runs"], ["HOME": place.path])
    #expect(again.output.contains("1/1"), "\(again.output)\(again.errors)")
  }

  @Test func whatWasLearnedIsUnderHome() throws {
    let place = try Place()
    let outcome = try Self.run(
      ["explain", "--learn-prompts", "1", "How do I kill time?"], ["HOME": place.path])
    #expect(place.exists(".cache/selfcd/beginnings"), "\(outcome.errors)")
  }

  @Test func variablesOfTheSpecificationsComeBeforeHome() throws {
    let place = try Place()
    let environment = [
      "HOME": place.path, "XDG_DATA_HOME": place.path + "/data", "XDG_CACHE_HOME": place.path + "/cache",
    ]
    let found = try Self.folders(environment)
    #expect(found.store.contains("\(place.path)/data/selfcd/runs.sqlite"))
    #expect(found.hub.contains("\(place.path)/cache/huggingface/hub"))
    let own = try Self.folders(environment.merging(["HF_HOME": "~/hf"]) { $1 })
    #expect(own.hub.contains("\(place.path)/hf/hub"), "\(own.hub)")
    let named = try Self.folders(environment.merging(["HF_HUB_CACHE": place.path + "/h"]) { $1 })
    #expect(named.hub.contains("\(place.path)/h"))
  }

  @Test func relativeFoldersAreIgnored() throws {
    let place = try Place()
    let environment = ["HOME": place.path, "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "./cache"]
    let found = try Self.folders(environment)
    #expect(found.store.contains("\(place.path)/.local/share/selfcd/runs.sqlite"))
    #expect(found.hub.contains("\(place.path)/.cache/huggingface/hub"))
  }

  @Test(arguments: [nil, "", "relative/home"])
  func withoutAHomeItIsTheAccounts(home: String?) throws {
    let found = try Self.folders(home.map { ["HOME": $0] } ?? [:])
    let expected = Self.account == "/" ? "/.cache" : Self.account + "/.cache"
    #expect(found.hub.contains("\(expected)/huggingface/hub"), "\(found.hub)")
    #expect(try Self.run(["model"], home.map { ["HOME": $0] } ?? [:]).status == 0)
  }

  /// `/proc` refuses even the superuser, which folders without permission do not.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/version"), "there is no /proc here"))
  func aHomeThatCannotBeWrittenIsSaidBeforeAnythingIsGenerated() throws {
    let place = try Place()
    let environment = ["HOME": "/proc"]
    let outcome = try Self.run(Self.smallRun(try place.prompts()), environment)
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("/proc/.local/share/selfcd/runs.sqlite"), "\(outcome.errors)")
    #expect(outcome.errors.contains("--store") && !outcome.errors.contains("evaluating"))
    let store = place.path + "/elsewhere.sqlite"
    let elsewhere = try Self.run(
      Self.smallRun(try place.prompts()) + ["--store", store], environment)
    #expect(elsewhere.status == 0 && place.exists("elsewhere.sqlite"), "\(elsewhere.errors)")
    // What needs no folder works.
    #expect(try Self.run(["generate", "-n", "4", "How do I kill time?"], environment).status == 0)
  }

  @Test func aReadOnlyFolderIsSaid() throws {
    let place = try Place()
    let prompts = try place.prompts()
    let home = place.folder.appending(path: "home")
    try FileManager.default.createDirectory(
      at: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o555])
    let outcome = try Self.run(Self.smallRun(prompts), ["HOME": home.path])
    // Permissions do not bind the superuser.
    if geteuid() == 0 {
      #expect(outcome.status == 0)
    } else {
      #expect(outcome.status == 1 && outcome.errors.contains("--store"), "\(outcome.errors)")
    }
  }

  @Test func aTildeInAnOptionIsHome() throws {
    let place = try Place()
    _ = try place.prompts()
    let outcome = try Self.run(
      Self.smallRun("~/safe.csv") + ["--store=~/own.sqlite"], ["HOME": place.path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(place.exists("own.sqlite"))
    let export = try Self.run(
      ["export", "r", "--store=~/own.sqlite", "-o", "~/out.csv"], ["HOME": place.path])
    #expect(export.status == 0 && place.exists("out.csv"), "\(export.errors)")
  }
}
