import Foundation

struct StatisticsFixture: Decodable {
  struct Quantile: Decodable {
    var p: Double
    var x: Double
  }
  struct Student: Decodable {
    var p: Double
    var df: Int
    var x: Double
  }
  struct Beta: Decodable {
    var a: Double
    var b: Double
    var x: Double
    var value: Double
  }
  struct BetaInverse: Decodable {
    var a: Double
    var b: Double
    var p: Double
    var x: Double
  }
  struct Mass: Decodable {
    var k: Int
    var n: Int
    var p: Double
    var value: Double
  }
  struct Interval: Decodable {
    var k: Int
    var n: Int
    var level: Double
    var low: Double
    var high: Double
  }
  struct Test: Decodable {
    var k: Int
    var n: Int
    var rate: Double
    var alternative: String
    var p: Double
  }
  struct McNemar: Decodable {
    var b: Int
    var c: Int
    var p: Double
  }
  struct Holm: Decodable {
    var p: [Double]
    var adjusted: [Double]
  }
  struct Kappa: Decodable {
    var table: [[Int]]
    var value: Double
  }
  struct Stream: Decodable {
    var seed: UInt64
    var outputs: [String]
  }
  struct Bounded: Decodable {
    var seed: UInt64
    var bound: String
    var outputs: [String]
  }
  struct Bootstrap: Decodable {
    var first: [Double]
    var second: [Double]
    var resamples: Int
    var level: Double
    var seed: UInt64
    var estimate: Double
    var low: Double
    var high: Double
  }

  struct Tango: Decodable {
    var b: Int
    var c: Int
    var n: Int
    var level: Double
    var low: Double
    var high: Double
  }
  struct SignFlip: Decodable {
    var differences: [Int]
    var p: Double
  }
  /// A rate without `second`, else a difference.
  struct Grouped: Decodable {
    var first: [Int]
    var second: [Int]?
    var groups: [String]
    var resamples: Int
    var level: Double
    var seed: UInt64
    var estimate: Double
    var low: Double
    var high: Double
  }

  struct Hypergeometric: Decodable {
    var drawn: Int
    var sample: Int
    var successes: Int
    var population: Int
    var mass: Double
    var cumulative: Double
  }
  struct Most: Decodable {
    var successes: Int
    var sample: Int
    var population: Int
    var level: Double
    var most: Int
  }
  struct RealInterval: Decodable {
    var p: Double
    var n: Double
    var level: Double
    var low: Double
    var high: Double
  }
  /// Strata are items, read, and what `make_statistics_fixture.py` says.
  struct Sampled: Decodable {
    var strata: [[Double]]
    var identical: Int?
    var level: Double
    var estimate: Double
    var low: Double
    var high: Double
  }
  struct Audited: Decodable {
    var groups: [[Int]]
    var readsAll: Bool
    var level: Double
    var mostLosses: Int
    var fewestTrials: Int
    var bound: Double
  }

  var quantile: [Quantile]
  var cumulative: [Quantile]
  var beta: [Beta]
  var betaInverse: [BetaInverse]
  var mass: [Mass]
  var wilson: [Interval]
  var exact: [Interval]
  var test: [Test]
  var mcnemar: [McNemar]
  var holm: [Holm]
  var kappa: [Kappa]
  var splitmix: [Stream]
  var xoshiro: [Stream]
  var bounded: [Bounded]
  var bootstrap: [Bootstrap]
  var tango: [Tango]
  var signFlip: [SignFlip]
  var grouped: [Grouped]
  var student: [Student]
  var hypergeometric: [Hypergeometric]
  var most: [Most]
  var wilsonReal: [RealInterval]
  var doubleRate: [Sampled]
  var doubleDifference: [Sampled]
  var audited: [Audited]

  static func load() throws -> StatisticsFixture {
    guard let url = Bundle.module.url(forResource: "statistics", withExtension: "json") else {
      throw CocoaError(.fileNoSuchFile)
    }
    return try JSONDecoder().decode(StatisticsFixture.self, from: Data(contentsOf: url))
  }
}
