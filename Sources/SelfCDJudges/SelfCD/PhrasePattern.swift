/// A phrase with alternatives, as the lexicon writes it, compiled to a small program.
///
/// `word` is a folded word and `word*` a beginning; `(a b|c)` is a choice, `x?` what may be missing, `..` up to three
/// words of any kind, `^` in front the beginning of a sentence, `@name` another pattern of that name. A phrase
/// never reaches over the end of a sentence.
struct PhrasePattern: Sendable {
  enum Instruction: Sendable {
    case word(Int32)
    case any
    case jump(Int)
    /// Tries both ways, the first one first.
    case split(Int, Int)
    case match
  }

  enum Failure: Error, Equatable {
    case unbalanced(String)
    case unknownName(String)
    case empty(String)
    /// A phrase that could begin anywhere would be tried everywhere.
    case beginsAnywhere(String)
  }

  let source: String
  let isAnchored: Bool
  private(set) var code: [Instruction] = []
  /// The words that a match can begin with.
  private(set) var first: Set<Int32> = []

  /// - Throws: `Failure` for a pattern that is not one.
  init(_ source: String, names: [String: String], vocabulary: inout PhraseVocabulary) throws(Failure) {
    self.source = source
    isAnchored = source.hasPrefix("^")
    var parser = Parser(
      tokens: try Self.tokens(isAnchored ? String(source.dropFirst()) : source, names: names, depth: 0),
      source: source)
    let node = try parser.alternatives()
    guard parser.isAtEnd else { throw .unbalanced(source) }
    emit(node, &vocabulary)
    code.append(.match)
    try collectFirst(from: 0)
  }

  /// Where the phrase ends that begins at word `start`, nil if none does; the words behind `end` are not looked at.
  func end(in text: ReplyWords, from start: Int, to end: Int) -> Int? {
    run(0, start, end, text)
  }

  private func run(_ start: Int, _ word: Int, _ end: Int, _ text: ReplyWords) -> Int? {
    var (pc, word) = (start, word)
    while true {
      switch code[pc] {
      case .word(let id):
        guard word < end, text.ids[text.words[word].ids].contains(id) else { return nil }
        word += 1
        pc += 1
      case .any:
        guard word < end else { return nil }
        word += 1
        pc += 1
      case .jump(let target): pc = target
      case .split(let preferred, let other):
        if let found = run(preferred, word, end, text) { return found }
        pc = other
      case .match: return word
      }
    }
  }

  // MARK: Compiling

  private indirect enum Node {
    case word(String)
    case gap
    case sequence([Node])
    case choice([Node])
    case optional(Node)
  }

  private enum Token: Equatable {
    case word(String)
    case open, bar, close, optional, gap
  }

  private static func tokens(
    _ text: String, names: [String: String], depth: Int
  ) throws(Failure) -> [Token] {
    var tokens: [Token] = []
    var word = ""
    func flush(_ tokens: inout [Token]) throws(Failure) {
      defer { word = "" }
      guard !word.isEmpty else { return }
      if word == ".." { return tokens.append(.gap) }
      guard word.hasPrefix("@") else {
        // In scripts without spaces every character is a word; those a person writes together are apart.
        tokens += parts(word).map { .word($0) }
        return
      }
      guard let named = names[String(word.dropFirst())], depth < 8 else { throw .unknownName(word) }
      tokens += [.open] + (try Self.tokens(named, names: names, depth: depth + 1)) + [.close]
    }
    for character in text {
      switch character {
      case " ": try flush(&tokens)
      case "(":
        try flush(&tokens)
        tokens.append(.open)
      case "|":
        try flush(&tokens)
        tokens.append(.bar)
      case ")":
        try flush(&tokens)
        tokens.append(.close)
      case "?":
        try flush(&tokens)
        tokens.append(.optional)
      default: word.append(character)
      }
    }
    try flush(&tokens)
    return tokens
  }

  private static func parts(_ word: String) -> [String] {
    var parts = [""]
    for scalar in word.unicodeScalars {
      switch ScalarFolding.kind(scalar) {
      case .ideograph(let folded): parts += [String(folded), ""]
      case .letter(let folded): if let folded { parts[parts.count - 1] += ScalarFolding.parts(of: folded) }
      default: parts[parts.count - 1].unicodeScalars.append(scalar)
      }
    }
    return parts.filter { !$0.isEmpty }
  }

  private struct Parser {
    let tokens: [Token]
    let source: String
    var position = 0

    init(tokens: [Token], source: String) {
      self.tokens = tokens
      self.source = source
    }

    var isAtEnd: Bool { position == tokens.count }

    mutating func alternatives() throws(Failure) -> Node {
      var choices = [try sequence()]
      while !isAtEnd, tokens[position] == .bar {
        position += 1
        choices.append(try sequence())
      }
      return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence() throws(Failure) -> Node {
      var nodes: [Node] = []
      loop: while !isAtEnd {
        switch tokens[position] {
        case .bar, .close: break loop
        case .open:
          position += 1
          nodes.append(try alternatives())
          guard !isAtEnd, tokens[position] == .close else { throw .unbalanced(source) }
        case .optional:
          guard let last = nodes.popLast() else { throw .empty(source) }
          nodes.append(.optional(last))
        case .gap: nodes.append(.gap)
        case .word(let word): nodes.append(.word(word))
        }
        position += 1
      }
      guard !nodes.isEmpty else { throw .empty(source) }
      return .sequence(nodes)
    }
  }

  private mutating func emit(_ node: Node, _ vocabulary: inout PhraseVocabulary) {
    switch node {
    case .word(let word): code.append(.word(vocabulary.id(word)))
    case .gap:
      for _ in 0..<3 { emitOptional { $0.code.append(.any) } }
    case .sequence(let nodes):
      for node in nodes { emit(node, &vocabulary) }
    case .optional(let node):
      let split = code.count
      code.append(.match)
      emit(node, &vocabulary)
      code[split] = .split(split + 1, code.count)
    case .choice(let nodes):
      var jumps: [Int] = []
      for node in nodes.dropLast() {
        let split = code.count
        code.append(.match)
        emit(node, &vocabulary)
        jumps.append(code.count)
        code.append(.match)
        code[split] = .split(split + 1, code.count)
      }
      if let last = nodes.last { emit(last, &vocabulary) }
      for jump in jumps { code[jump] = .jump(code.count) }
    }
  }

  /// Gaps are lazy: the shortest one that fits.
  private mutating func emitOptional(_ body: (inout Self) -> Void) {
    let split = code.count
    code.append(.match)
    body(&self)
    code[split] = .split(code.count, split + 1)
  }

  private mutating func collectFirst(from start: Int) throws(Failure) {
    var open = [start]
    var seen: Set<Int> = []
    while let pc = open.popLast() {
      guard seen.insert(pc).inserted else { continue }
      switch code[pc] {
      case .word(let id): first.insert(id)
      case .jump(let target): open.append(target)
      case .split(let one, let other): open += [one, other]
      case .any, .match: throw .beginsAnywhere(source)
      }
    }
  }
}
