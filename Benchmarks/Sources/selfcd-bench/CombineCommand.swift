import ArgumentParser
import ReferenceKernel
import SelfCD

/// The arithmetic of a step alone: two rows of logits to one token.
struct CombineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "combine",
    abstract: "Combining two rows of logits and finding the maximum, in Swift and in C.")

  @Option(parsing: .upToNextOption, help: "Vocabulary sizes.")
  var sizes: [Int] = [49_152, 128_256, 151_936]

  @Option(help: "Rounds; each times all kernels in turn.")
  var rounds = 41

  @Option(help: "Calls timed together.")
  var repetitions = 50

  private struct Kernel {
    let name: String
    let call: (_ guarded: [Float], _ plain: [Float], _ alpha: Float) -> Int32
  }

  func run() {
    print("entries   kernel                          best µs   median µs   to C, paired median")
    for size in sizes {
      // The maximum can lie in any block; where it lies must not matter.
      var generator = SplitMix64(seed: UInt64(size))
      let rows = (0..<2).map { _ in (0..<size).map { _ in Float.random(in: -10...10, using: &generator) } }
      measure(argmaxKernels, against: 0, rows[0], rows[1])
      measure(rowKernels(size), against: 0, rows[0], rows[1])
    }
  }

  private var argmaxKernels: [Kernel] {
    [
      Kernel(name: "C, argmax") { reference_contrast_argmax($0, $1, $2, $0.count) },
      Kernel(name: "C, argmax, best instruction set") {
        reference_contrast_argmax_dispatched($0, $1, $2, $0.count)
      },
      Kernel(name: "Contrast.argmax") { Contrast.argmax(guarded: $0, plain: $1, alpha: $2)?.token ?? -1 },
    ]
  }

  private func rowKernels(_ size: Int) -> [Kernel] {
    var scores = [Float](repeating: 0, count: size)
    var reference = scores
    return [
      Kernel(name: "C, whole row") {
        reference_contrast_scores($0, $1, $2, $0.count, &reference)
        return reference[size / 2] > 0 ? 1 : 0
      },
      Kernel(name: "Contrast.scores") {
        Contrast.scores(guarded: $0, plain: $1, alpha: $2, into: &scores)
        return scores[size / 2] > 0 ? 1 : 0
      },
    ]
  }

  private func measure(_ kernels: [Kernel], against reference: Int, _ guarded: [Float], _ plain: [Float]) {
    var times = kernels.map { _ in [Double]() }
    var results = kernels.map { _ in [Int32]() }
    for round in 0..<rounds {
      // Another α each round, so that no result can be kept from the last one.
      let alpha = 2.5 + Float(round) * 0.01
      for (index, kernel) in kernels.enumerated() {
        var result: Int32 = 0
        let watch = Stopwatch()
        for _ in 0..<repetitions { result = kernel.call(guarded, plain, alpha) }
        times[index].append(watch.elapsed().seconds / Double(repetitions) * 1e6)
        results[index].append(result)
      }
    }
    for (index, kernel) in kernels.enumerated() {
      let ratios = zip(times[index], times[reference]).map { $0 / $1 }
      let note = results[index] == results[reference] ? "" : "   DIFFERENT RESULTS"
      print(
        guarded.count.description.padded(to: 10) + kernel.name.padded(to: 32)
          + (times[index].min() ?? .nan).fixed(1).padded(to: 10) + times[index].median.fixed(1).padded(to: 12)
          + ratios.median.fixed(2) + note)
    }
  }
}

extension String {
  func padded(to width: Int) -> String {
    count < width ? self + String(repeating: " ", count: width - count) : self
  }
}
