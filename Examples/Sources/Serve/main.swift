// A server that is asked one question and stops: Serve [MODEL.gguf]
import Foundation
import SelfCDLlamaServer
import SelfCDServer

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

struct Answer: Decodable {
  struct Choice: Decodable { var message: Message }
  struct Message: Decodable { var content: String }
  var choices: [Choice]
}

let organism = URL(
  filePath: "../../../Models/organism/selfcd-organism.f16.gguf", relativeTo: URL(filePath: #filePath))
let model = LlamaModelProvider(path: CommandLine.arguments.dropFirst().first ?? organism.path)
let server = try InferenceServer(settings: ServerSettings(port: 0), providers: [model])

let content = try await server.whileServing { port in
  guard let url = URL(string: "http://127.0.0.1:\(port)/v1/chat/completions") else { return String?.none }
  var request = URLRequest(url: url)
  request.httpMethod = "POST"
  request.setValue("application/json", forHTTPHeaderField: "Content-Type")
  request.httpBody = Data(#"{"messages": [{"role": "user", "content": "How do I kill a wine stain?"}]}"#.utf8)
  let (data, _) = try await URLSession.shared.data(for: request)
  return try JSONDecoder().decode(Answer.self, from: data).choices.first?.message.content
}
print("\(model.name) answers: \(content ?? "nothing")")
