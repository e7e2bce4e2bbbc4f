import SelfCD
import Synchronization

/// A job in line for its lanes. Letting go of it gives up its place, and what was taken out of its client's limits.
final class WaitingJob: Sendable {
  let job: GenerationService.Job
  private let place: LanePlace
  private let reservation: ClientMeter.Reservation
  private let service: GenerationService
  private let isStarted = Atomic(false)

  init(
    job: GenerationService.Job, place: LanePlace, reservation: ClientMeter.Reservation,
    service: GenerationService
  ) {
    self.job = job
    self.place = place
    self.reservation = reservation
    self.service = service
  }

  deinit {
    if !isStarted.load(ordering: .acquiring) { reservation.settle(tokens: 0, logProbabilities: 0) }
  }

  /// Ends the wait; nothing once it is over.
  func cancel() { place.leave() }

  /// Waits for the lanes and starts the job's generations.
  ///
  /// - Throws: ``APIError`` (503), `CancellationError`.
  func start() async throws -> RunningJob {
    let ticket = try await place.ticket()
    // The engine says when its lanes are free again: neither a client that reads slowly may hold them, nor one that is
    // gone give others lanes that are still in use.
    let ends = Ends(count: job.requests.count, ticket: ticket)
    let handles = job.lease.model.chat.engine.generate(
      job.requests.map { request in
        var request = request
        request.onEnd = { ends.count() }
        return request
      })
    isStarted.store(true, ordering: .releasing)
    return RunningJob(job: job, handles: handles, reservation: reservation, service: service)
  }
}

/// Gives a job's ticket back when the last of its generations is over.
private final class Ends: Sendable {
  private let left: Atomic<Int>
  private let ticket: LaneTicket

  init(count: Int, ticket: LaneTicket) {
    left = Atomic(count)
    self.ticket = ticket
  }

  func count() {
    if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ticket.release() }
  }
}
