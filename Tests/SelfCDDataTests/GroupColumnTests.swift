import SelfCDData
import Testing

@Suite struct GroupColumnTests {
  private static func set(_ text: String) throws -> Dataset {
    try DatasetReader().read(bytes: Array(text.utf8), fileName: "own.csv")
  }

  @Test func aMisspeltColumnIsAnError() throws {
    let sets = [try Self.set("prompt,template,n\nOne?,a,1\nTwo?,b,2\n")]
    try sets.checkGroups(by: "Template")
    try sets.checkGroups(by: nil)
    let error = #expect(throws: MissingColumn.self) { try sets.checkGroups(by: "templat") }
    #expect(error?.known == ["n", "template"] && error?.dataset == "own")
    #expect(
      error?.localizedDescription
        == "own has no column 'templat' to group prompts by. Its columns are n, template.")
  }

  @Test func everySetHasToHaveIt() throws {
    let sets = [try Self.set("prompt,template\nOne?,a\n"), try Self.set("prompt\nTwo?\n")]
    let error = #expect(throws: MissingColumn.self) { try sets.checkGroups(by: "template") }
    #expect(error?.known == [])
  }
}
