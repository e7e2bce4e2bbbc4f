import Foundation

/// Runs an actor's jobs on one thread of its own.
///
/// A model call takes milliseconds to seconds of pure computation; on the cooperative pool it would starve every
/// other task. The thread ends with ``shutdown()``.
package final class EngineThread: SerialExecutor, @unchecked Sendable {
  // Guarded by `condition`: `jobs` and `isShutDown`.
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []
  private var isShutDown = false

  package init(name: String) {
    let thread = Thread { [weak self] in
      // The executor outlives its jobs: the actor that owns it is alive while a job of it runs.
      while let jobs = self?.next() {
        for job in jobs {
          guard let self else { return }
          job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
      }
    }
    thread.name = name
    // llama.cpp and Jinja templates use far more stack than Foundation's default of 512 KiB allows.
    thread.stackSize = 16 << 20
    thread.start()
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    condition.lock()
    jobs.append(UnownedJob(job))
    condition.signal()
    condition.unlock()
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  /// Lets the thread end once its queue is empty.
  package func shutdown() {
    condition.lock()
    isShutDown = true
    condition.signal()
    condition.unlock()
  }

  private func next() -> [UnownedJob]? {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty {
      if isShutDown { return nil }
      condition.wait()
    }
    defer { jobs.removeAll(keepingCapacity: true) }
    return jobs
  }
}
