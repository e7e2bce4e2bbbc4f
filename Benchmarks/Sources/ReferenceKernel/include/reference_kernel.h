#pragma once

#include <stddef.h>
#include <stdint.h>

/// First index of the greatest `g - alpha * (g - p)`; -1 if there is none. For the same CPU as the Swift code:
/// the baseline of the platform.
int32_t reference_contrast_argmax(const float *guarded, const float *plain, float alpha, size_t count);

/// The same code compiled for AVX2 and AVX-512 as well, the best that runs here chosen at load time.
int32_t reference_contrast_argmax_dispatched(const float *guarded, const float *plain, float alpha, size_t count);

/// Writes `g - alpha * (g - p)` for every index, and minus infinity for NaN.
void reference_contrast_scores(
    const float *guarded, const float *plain, float alpha, size_t count, float *scores);
