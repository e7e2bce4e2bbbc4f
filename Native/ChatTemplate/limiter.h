// What bounds a template. The engine is patched (patch.cmake) to report its work here.
//
// Everything is per thread: a parse or render runs on a thread of its own, with a stack that holds the
// deepest nesting the limits allow.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace selfcd {

enum class limit { none, time, steps, depth, memory };

// Not a std::exception, so that no handler of the engine takes it for an error of the template.
struct limit_exceeded {
    limit kind;
};

// Every value that lives is in a list, because values can form cycles that reference counting never frees.
struct tracked {
    tracked * previous = nullptr;
    tracked * next     = nullptr;
    tracked();
    tracked(const tracked &);
    tracked & operator=(const tracked &) { return *this; }
    ~tracked();
    void unlink() noexcept;
};

class limiter {
  public:
    std::chrono::steady_clock::time_point deadline;
    uint64_t max_steps = 0;
    uint32_t max_depth = 0, max_source_depth = 0;
    size_t   max_memory = 0;

    uint64_t steps = 0, work = 0, next_check = 0;
    uint32_t depth = 0;
    size_t   built = 0, alive = 0;
    limit    tripped = limit::none;

    bool        has_raised = false;
    std::string raised;

    tracked head;  // of the circular list of live values

    limiter();
    limiter(const limiter &) = delete;
    ~limiter();

    [[noreturn]] void trip(limit kind);
    void check_time();
};

extern thread_local limiter * current;

constexpr size_t node_bytes = 352, cell_bytes = 96;

inline void work(uint64_t units) {
    limiter * l = current;
    if (!l) { return; }
    // The engine swallows exceptions in one place; a limit that was passed stays passed.
    if (l->tripped != limit::none) { l->trip(l->tripped); }
    l->work += units;
    if (l->work >= l->next_check) { l->check_time(); }
}

// A string or list of that many bytes is being built.
inline void charge(size_t bytes) {
    limiter * l = current;
    if (!l) { return; }
    l->built = bytes > SIZE_MAX - l->built ? SIZE_MAX : l->built + bytes;
    if (l->built > l->max_memory) { l->trip(limit::memory); }
    work(bytes / 64 + 1);
}

inline void check_alive() {
    limiter * l = current;
    if (l && l->alive > l->max_memory) { l->trip(limit::memory); }
}

// Counts the entries of a dictionary for as long as it lives.
struct cells {
    size_t count = 0;
    cells() = default;
    cells(const cells &) = delete;
    ~cells() { if (current) { current->alive -= count * cell_bytes; } }
    void add() {
        if (current) { ++count; current->alive += cell_bytes; check_alive(); }
        work(1);
    }
};

// One level of recursion over values.
struct depth_guard {
    depth_guard() {
        work(1);
        if (current && ++current->depth > current->max_depth) { --current->depth; current->trip(limit::depth); }
    }
    depth_guard(const depth_guard &) = delete;
    ~depth_guard() { if (current) { --current->depth; } }
};

// One executed node of the template.
struct step_guard : depth_guard {
    step_guard() {
        if (current && ++current->steps > current->max_steps) { current->trip(limit::steps); }
        check_alive();
    }
};

// One level of recursion of the parser.
struct source_guard {
    source_guard() {
        work(1);
        if (current && ++current->depth > current->max_source_depth) { --current->depth; current->trip(limit::depth); }
    }
    source_guard(const source_guard &) = delete;
    ~source_guard() { if (current) { --current->depth; } }
};

inline void check_height(uint32_t height) {
    if (current && height > current->max_source_depth) { current->trip(limit::depth); }
}

inline void note_raised(const std::string & message) {
    if (current) { current->has_raised = true; current->raised = message; }
}

// How many numbers range(start, stop, step) has; step is not 0.
inline uint64_t range_count(int64_t start, int64_t stop, int64_t step) {
    if (step > 0 ? start >= stop : start <= stop) { return 0; }
    const uint64_t span = step > 0 ? uint64_t(stop) - uint64_t(start) : uint64_t(start) - uint64_t(stop);
    const uint64_t size = step > 0 ? uint64_t(step) : uint64_t(0) - uint64_t(step);
    const uint64_t count = (span - 1) / size + 1;
    charge(count > SIZE_MAX / node_bytes ? SIZE_MAX : size_t(count) * sizeof(void *));
    return count;
}

// The least integer stands for all that does not fit, as the processor's own conversion has it.
inline int64_t to_int(double x) { return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? int64_t(x) : INT64_MIN; }
inline int64_t negated(int64_t x) { return int64_t(uint64_t(0) - uint64_t(x)); }

}  // namespace selfcd
