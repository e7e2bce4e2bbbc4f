#include "reference_kernel.h"

#include <math.h>

enum { LANES = 64, BLOCK = 2048 };

// A plain loop over LANES running maxima, which compilers turn into vector code without being asked to reorder
// floating-point arithmetic.
static inline __attribute__((always_inline)) float block_maximum(
    const float *guarded, const float *plain, float alpha, size_t count) {
  float maxima[LANES];
  for (int lane = 0; lane < LANES; lane++) maxima[lane] = -INFINITY;
  size_t index = 0;
  for (; index + LANES <= count; index += LANES) {
    for (int lane = 0; lane < LANES; lane++) {
      const float g = guarded[index + lane];
      const float z = g - alpha * (g - plain[index + lane]);
      maxima[lane] = z > maxima[lane] ? z : maxima[lane];
    }
  }
  float best = -INFINITY;
  for (int lane = 0; lane < LANES; lane++) best = maxima[lane] > best ? maxima[lane] : best;
  for (; index < count; index++) {
    const float z = guarded[index] - alpha * (guarded[index] - plain[index]);
    best = z > best ? z : best;
  }
  return best;
}

static inline __attribute__((always_inline)) int32_t contrast_argmax(
    const float *guarded, const float *plain, float alpha, size_t count) {
  float best = -INFINITY;
  size_t best_start = 0;
  for (size_t start = 0; start < count; start += BLOCK) {
    const size_t length = count - start < BLOCK ? count - start : BLOCK;
    const float maximum = block_maximum(guarded + start, plain + start, alpha, length);
    if (maximum > best) {
      best = maximum;
      best_start = start;
    }
  }
  const size_t end = count - best_start < BLOCK ? count : best_start + BLOCK;
  // Only the winning block is read again, for the index.
  int32_t first = -1;
  float value = -INFINITY;
  for (size_t index = best_start; index < end; index++) {
    const float z = guarded[index] - alpha * (guarded[index] - plain[index]);
    if (z > value) {
      value = z;
      first = (int32_t)index;
    }
  }
  return first;
}

int32_t reference_contrast_argmax(const float *guarded, const float *plain, float alpha, size_t count) {
  return contrast_argmax(guarded, plain, alpha, count);
}

#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
int32_t reference_contrast_argmax_dispatched(const float *guarded, const float *plain, float alpha, size_t count) {
  return contrast_argmax(guarded, plain, alpha, count);
}

void reference_contrast_scores(
    const float *guarded, const float *plain, float alpha, size_t count, float *scores) {
  for (size_t index = 0; index < count; index++) {
    const float z = guarded[index] - alpha * (guarded[index] - plain[index]);
    scores[index] = z == z ? z : -INFINITY;
  }
}
