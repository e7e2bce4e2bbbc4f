import ArgumentParser
import SelfCDJudges

/// The local judges alone, on one thread.
struct JudgeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge",
    abstract: "Judging replies with each judge that needs no model, on one thread.",
    discussion: """
      FILES hold replies, as 'selfcd judge' takes them. They are judged in turn until the number is reached, every \
      one anew: no judge remembers a reply.
      """)

  @Argument(help: "Files of replies.")
  var files: [String]

  @Option(help: "Replies a round.")
  var replies = 10_000

  @Option(help: "Rounds; each times all judges in turn.")
  var rounds = 5

  func validate() throws {
    guard replies > 0, rounds > 0 else { throw ValidationError("--replies and --rounds must be 1 or more.") }
  }

  func run() throws {
    let read = try files.flatMap { try ForeignReplies(path: $0).replies }
    guard !read.isEmpty else { throw ValidationError("The files hold no replies.") }
    let bytes = read.reduce(0) { $0 + $1.completion.utf8.count } / read.count
    print("\(replies) replies of \(bytes) bytes on average, \(rounds) rounds")
    print("judge                   first verdict, ms   best s   median s   CPU s, median   replies/s")
    var times: [String: [Elapsed]] = [:]
    var first: [String: Double] = [:]
    var refused: [String: Int] = [:]
    for _ in 0..<rounds {
      for judge in JudgeCatalogue.local {
        if first[judge.name] == nil {
          let watch = Stopwatch()
          _ = try judge.verdict(prompt: read[0].prompt, reply: read[0].completion)
          first[judge.name] = watch.elapsed().seconds * 1e3
        }
        let watch = Stopwatch()
        var count = 0
        for index in 0..<replies {
          let reply = read[index % read.count]
          // A reply that has no verdict refuses as little as an answer here: only the time counts.
          if (try? judge.verdict(prompt: reply.prompt, reply: reply.completion))?.isRefusal == true {
            count += 1
          }
        }
        times[judge.name, default: []].append(watch.elapsed())
        refused[judge.name] = count
      }
    }
    for judge in JudgeCatalogue.local {
      let seconds = (times[judge.name] ?? []).map(\.seconds)
      let cpu = (times[judge.name] ?? []).map(\.cpuSeconds)
      print(
        judge.name.padded(to: 24) + (first[judge.name] ?? .nan).fixed(2).padded(to: 20)
          + (seconds.min() ?? .nan).fixed(2).padded(to: 9) + seconds.median.fixed(2).padded(to: 11)
          + cpu.median.fixed(2).padded(to: 16) + (Double(replies) / seconds.median).fixed(0)
          + "   (\(refused[judge.name] ?? 0) refused)")
    }
  }
}
