import SelfCD
import SelfCDExplain
import Testing

@Suite("Tokens of words")
struct PromptAlignmentTests {
  private func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  @Test("each token goes to the word it writes; templates, spaces and punctuation to none")
  func words() throws {
    let tokens = bytes(["", "user", "\n", "How", " do", " I", " k", "ill", " it", "?", "", "\n", "assistant"])
    let question = "How do I kill it?"
    let ranges = [0..<3, 4..<6, 7..<8, 9..<13, 14..<16]
    let alignment = try #require(PromptAlignment(tokens: tokens, question: question, words: ranges))
    #expect(alignment.words == [nil, nil, nil, 0, 1, 2, 3, 3, 4, nil, nil, nil, nil])
    #expect(alignment.texts[7] == "ill")
  }

  @Test("the last occurrence counts, since a system prompt may quote the question")
  func lastOccurrence() throws {
    let tokens = bytes(["kill", " it", "\n", "kill", " it"])
    let alignment = try #require(
      PromptAlignment(tokens: tokens, question: "kill it", words: [0..<4, 5..<7]))
    #expect(alignment.words == [nil, nil, nil, 0, 1])
  }

  @Test("white space that a template trims does not move the words, a character cut in two goes to its word")
  func trimmedAndCut() throws {
    let word = Array("été".utf8)
    let tokens = [Array("x ".utf8), Array(word[0..<1]), Array(word[1...]), Array("!".utf8)]
    let alignment = try #require(PromptAlignment(tokens: tokens, question: "  été! ", words: [2..<7]))
    #expect(alignment.words == [nil, 0, 0, nil])
  }

  @Test("a prompt that does not hold the question has no alignment")
  func missing() {
    #expect(PromptAlignment(tokens: bytes(["Hello"]), question: "Bye", words: [0..<3]) == nil)
    #expect(PromptAlignment(tokens: bytes(["Hello"]), question: "  ", words: []) == nil)
    #expect(PromptAlignment(tokens: [], question: "a", words: [0..<1]) == nil)
  }
}

@Suite("Information flow")
struct InformationFlowTests {
  private func alignment() throws -> PromptAlignment {
    try #require(
      PromptAlignment(
        tokens: [[], Array("kill".utf8), Array(" it".utf8), []], question: "kill it", words: [0..<4, 5..<7]))
  }

  @Test("is the absolute value of the sum over heads, not the sum of absolute values")
  func formula() throws {
    let saliency = AttentionSaliency(
      target: 3, loss: 1.5,
      attention: [[[0.5, 0.25, 0.25, 0], [0.1, 0.2, 0.3, 0.4]]],
      gradient: [[[1, 2, -4, 0], [-5, 1, 0, 2]]], agreement: .init(attention: 0, nextToken: 0))
    let flow = InformationFlow(saliency, targetText: "I", alignment: try alignment(), words: ["kill", "it"])
    let expected = [0.0, 0.7, 1.0, 0.8]
    for (value, expected) in zip(flow.layers[0], expected) { #expect(abs(value - expected) < 1e-6) }
    #expect(abs(flow.words[0].share - 0.7 / 1.7) < 1e-6)
    #expect(abs(flow.words[1].share - 1 / 1.7) < 1e-6)
    #expect(abs(flow.questionShare - 1.7 / 2.5) < 1e-6)
    #expect(flow.method == .informationFlow)
    #expect(flow.target?.loss == 1.5)
  }

  @Test("shares add up to one over the words, layer by layer and in all, and are zero where nothing flows")
  func shares() throws {
    let flow = InformationFlow(
      method: .attention, layers: [[1, 2, 3, 4], [0, 0, 0, 1], [5, 0, 5, 0]], alignment: try alignment(),
      words: ["kill", "it"])
    #expect(abs(flow.words.reduce(0) { $0 + $1.share } - 1) < 1e-12)
    #expect(abs(flow.words.reduce(0) { $0 + $1.layers[0] } - 1) < 1e-12)
    #expect(flow.words.allSatisfy { $0.layers[1] == 0 })
    #expect(flow.agreement == nil && flow.method != .informationFlow)
  }
}

@Suite("Attention rollout")
struct AttentionRolloutTests {
  /// Random causal attention whose rows add up to one.
  private func maps(count: Int, layers: Int, seed: UInt64) -> AttentionMaps {
    var state = seed
    func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 24) + 0.01
    }
    let mean = (0..<layers).map { _ in
      var matrix = [Float](repeating: 0, count: count * count)
      for query in 0..<count {
        let weights = (0...query).map { _ in next() }
        let sum = weights.reduce(0, +)
        for key in 0...query { matrix[query * count + key] = weights[key] / sum }
      }
      return matrix
    }
    return AttentionMaps(count: count, mean: mean, last: [])
  }

  /// R_l = (A_l + I)/2 · R_{l−1}, whole matrices, as the paper writes it.
  private func naive(_ maps: AttentionMaps) -> [[Double]] {
    let n = maps.count
    var rolled = (0..<n * n).map { $0 / n == $0 % n ? 1.0 : 0 }
    return maps.mean.map { matrix in
      var next = [Double](repeating: 0, count: n * n)
      for i in 0..<n {
        for j in 0..<n {
          for k in 0..<n {
            let mixed = (Double(matrix[i * n + k]) + (i == k ? 1 : 0)) / 2
            next[i * n + j] += mixed * rolled[k * n + j]
          }
        }
      }
      rolled = next
      return Array(rolled.suffix(n))
    }
  }

  @Test("is the product of the paper's matrices", arguments: [(1, 1), (2, 3), (7, 4), (16, 6)])
  func product(_ count: Int, _ layers: Int) {
    let maps = maps(count: count, layers: layers, seed: UInt64(count * 31 + layers))
    let rows = AttentionRollout.lastRows(of: maps)
    for (row, expected) in zip(rows, naive(maps)) {
      #expect(abs(row.reduce(0, +) - 1) < 1e-5)
      for (a, b) in zip(row, expected) { #expect(abs(a - b) < 1e-9) }
    }
    #expect(rows.count == layers)
  }

  @Test("of no position is empty")
  func empty() {
    #expect(AttentionRollout.lastRows(of: AttentionMaps(count: 0, mean: [[]], last: [])).isEmpty)
  }
}
