import Foundation
import SelfCDSupport

extension RunRecord {
  /// ``parameters`` as they are passed on: keys in snake case as in every export, and of the model's file its name
  /// without its folders, which hold users' names. Text that is no JSON object comes back as it is.
  public var publishedParameters: String {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(parameters.utf8)) else {
      return parameters
    }
    return (try? JSONText.encode(value.published, "the run's parameters")) ?? parameters
  }
}

extension JSONValue {
  /// Settings as they are passed on; see ``RunRecord/publishedParameters``.
  var published: JSONValue {
    switch self {
    case .object(let values):
      var result: [String: JSONValue] = [:]
      for (key, value) in values {
        if key == "modelPath", case .string(let path) = value {
          result["model_file"] = .string(URL(filePath: path).lastPathComponent)
        } else if key == "adapters", case .array(let adapters) = value {
          result[key] = .array(adapters.map(\.withoutFolders))
        } else {
          result[Self.snakeCase(key)] = value.published
        }
      }
      return .object(result)
    case .array(let values): return .array(values.map(\.published))
    default: return self
    }
  }

  /// An object whose `path` is a file's name alone.
  private var withoutFolders: JSONValue {
    guard case .object(var values) = self, case .string(let path)? = values.removeValue(forKey: "path") else {
      return published
    }
    values["file"] = .string(URL(filePath: path).lastPathComponent)
    return JSONValue.object(values).published
  }

  /// `maximumTokens` as `maximum_tokens`.
  private static func snakeCase(_ key: String) -> String {
    key.reduce(into: "") { result, character in
      if character.isUppercase, !result.isEmpty { result.append("_") }
      result += character.lowercased()
    }
  }
}
