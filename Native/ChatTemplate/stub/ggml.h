// Stands in for ggml.h when the engine's JSON code is compiled: it needs nothing of ggml but these two. That
// code only ever sees the fixed probes of caps.cpp; the inputs of a render take another way.
#pragma once

#include <stdexcept>

#define GGML_ASSERT(x) ((void) (x))
#define GGML_ABORT(...) throw std::runtime_error("unexpected state in the template engine")
