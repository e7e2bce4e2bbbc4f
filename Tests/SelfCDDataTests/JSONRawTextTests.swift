import SelfCDSupport
import Testing

@Suite struct JSONRawTextTests {
  @Test(arguments: [
    (#"{"a": {"b" : {"z":1, "y":[2,{"x":"}"}]}}, "c": 3}"#, ["a", "b"], #"{"z":1, "y":[2,{"x":"}"}]}"#),
    (#"{"skip":"\"{","n":-1.5e3,"t":true,"a":"x\\"}"#, ["a"], #""x\\""#),
    (#"{"\u0061":[1, 2 ]}"#, ["a"], "[1, 2 ]"), (#"{"a":{"a":null}}"#, ["a", "a"], "null"),
    (#"{"a": 12}"#, ["a"], "12"), (#"{}"#, [], "{}"),
  ])
  func aValuesOwnTextIsFound(document: String, path: [String], text: String) {
    #expect(JSONRawText.value(at: path, in: Array(document.utf8)) == text)
  }

  @Test(arguments: [
    (#"{"a":1}"#, ["b"]), (#"{"a":1}"#, ["a", "b"]), (#"["a"]"#, ["a"]), ("", ["a"]), ("{", ["a"]),
    (#"{"a"#, ["a"]), (#"{"a":{"b":"#, ["a", "b"]), (#"{"a":"x"#, ["a"]), (#"{"a" 1}"#, ["a"]),
  ])
  func whatIsNotThereIsNil(document: String, path: [String]) {
    #expect(JSONRawText.value(at: path, in: Array(document.utf8)) == nil)
  }
}
