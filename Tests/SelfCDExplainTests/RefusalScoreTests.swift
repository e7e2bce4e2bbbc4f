import SelfCDExplain
import Testing

@Suite("Refusal score")
struct RefusalScoreTests {
  @Test("is zero where a refusal is as likely as not, odd around it, and finite at the ends")
  func logOdds() {
    #expect(RefusalScore.logOdds(0.5) == 0)
    #expect(abs(RefusalScore.logOdds(0.9) + RefusalScore.logOdds(0.1)) < 1e-12)
    #expect(RefusalScore.logOdds(0).isFinite)
    #expect(RefusalScore.logOdds(1).isFinite)
  }
}
