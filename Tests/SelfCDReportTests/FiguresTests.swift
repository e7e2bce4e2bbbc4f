import Testing
@testable import SelfCDReport
