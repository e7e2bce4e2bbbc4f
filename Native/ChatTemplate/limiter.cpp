#include "limiter.h"

namespace selfcd {

thread_local limiter * current = nullptr;

limiter::limiter() {
    // Its own node is the list's head, not a value; it was made before the limiter was current.
    head.previous = head.next = &head;
}

limiter::~limiter() {
    while (head.next != &head) { head.next->unlink(); }
    head.previous = head.next = nullptr;
}

void limiter::trip(limit kind) {
    if (tripped == limit::none) { tripped = kind; }
    throw limit_exceeded{tripped};
}

void limiter::check_time() {
    next_check = work + 512;
    if (std::chrono::steady_clock::now() > deadline) { trip(limit::time); }
}

// Only counts; the next step looks at the count. A constructor that throws would have to be undone in bases
// and members that were already made.
tracked::tracked() {
    if (limiter * l = current) {
        previous = l->head.previous;
        next     = &l->head;
        previous->next = next->previous = this;
        l->alive += node_bytes;
    }
}
tracked::tracked(const tracked &) : tracked() {}
tracked::~tracked() {
    if (previous && current) { current->alive -= node_bytes; }
    unlink();
}
void tracked::unlink() noexcept {
    if (!previous) { return; }
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
}

}  // namespace selfcd
