#!/usr/bin/env python3
"""Writes sampling_golden.json: what penalties, a bias and the filters of sampling make of rows of scores.

The formulas written anew in numpy, in double precision from float32 rows:

- frequency and presence penalties as OpenAI documents them and vLLM computes them, over the reply's tokens;
- a bias, added;
- locally typical sampling (arXiv 2202.00666) and top-n-sigma (arXiv 2411.07641; the standard deviation is that of the
  whole row, with divisor N), both for a temperature, with top-p before typical-p in some cases.

Needs numpy; from this folder: python3 make_sampling_golden.py. -inf is written as null.
"""

import json
import pathlib

import numpy as np

VOCABULARY = 24


def numbers(row: np.ndarray) -> list:
    return [None if np.isneginf(value) else float(value) for value in row]


def occurrence(scores: np.ndarray, reply: np.ndarray, frequency: float, presence: float) -> np.ndarray:
    counts = np.bincount(reply, minlength=len(scores))
    return scores - frequency * counts - presence * (counts > 0)


def probabilities(scores: np.ndarray, temperature: float) -> np.ndarray:
    scaled = scores / temperature
    weights = np.exp(scaled - scaled.max())
    return weights / weights.sum()


def nucleus(p: np.ndarray, top_p: float) -> np.ndarray:
    order = np.argsort(-p, kind="stable")
    before = np.concatenate([[0], np.cumsum(p[order])[:-1]])
    kept = np.zeros(len(p), bool)
    kept[order[before < top_p]] = True
    return np.where(kept, p, 0) / p[kept].sum()


def typical(p: np.ndarray, mass: float) -> np.ndarray:
    inside = np.flatnonzero(p > 0)
    q = p[inside]
    distance = np.abs(-np.log(q) + np.sum(q * np.log(q)))
    order = inside[np.argsort(distance, kind="stable")]
    before = np.concatenate([[0], np.cumsum(p[order])[:-1]])
    kept = np.zeros(len(p), bool)
    kept[order[before < mass]] = True
    return np.where(kept, p, 0) / p[kept].sum()


def sigma(scores: np.ndarray, n: float) -> np.ndarray:
    inside = scores[np.isfinite(scores)]
    return np.where(scores >= inside.max() - n * inside.std(), scores, -np.inf)


def row(random: np.random.Generator) -> np.ndarray:
    scores = random.normal(0, 2, VOCABULARY).astype(np.float32)
    scores[random.integers(0, VOCABULARY, 3)] = -np.inf
    return scores


def main() -> None:
    random = np.random.default_rng(2202)
    penalties = []
    for frequency, presence in [(0, 0), (0.5, 0), (0, 1), (2, 2), (-0.25, -2), (1.5, -0.5)]:
        for length in [0, 1, 12, 50]:
            scores = row(random)
            reply = random.integers(0, VOCABULARY, length)
            tokens = random.choice(VOCABULARY, length % 5, replace=False)
            bias = {int(token): float(np.float32(random.uniform(-100, 100))) for token in tokens}
            expected = occurrence(scores.astype(np.float64), reply, frequency, presence)
            for token, number in bias.items():
                expected[token] += number
            penalties.append(
                {
                    "frequency": frequency,
                    "presence": presence,
                    "reply": reply.tolist(),
                    "bias": {str(token): number for token, number in bias.items()},
                    "scores": numbers(scores),
                    "expected": numbers(expected),
                }
            )
    filters = []
    for temperature in [0.5, 1, 2]:
        for settings in [
            {"typical_p": 0.2},
            {"typical_p": 0.9},
            {"top_n_sigma": 0.5},
            {"top_n_sigma": 1.5},
            {"top_p": 0.8, "typical_p": 0.5},
            {"top_n_sigma": 2, "top_p": 0.9, "typical_p": 0.6},
        ]:
            scores = row(random)
            left = scores.astype(np.float64)
            if "top_n_sigma" in settings:
                left = sigma(left, settings["top_n_sigma"])
            p = probabilities(left, temperature)
            if "top_p" in settings:
                p = nucleus(p, settings["top_p"])
            if "typical_p" in settings:
                p = typical(p, settings["typical_p"])
            filters.append(
                {
                    "temperature": temperature,
                    **settings,
                    "scores": numbers(scores),
                    "expected": [float(value) for value in p],
                }
            )
    path = pathlib.Path(__file__).with_name("sampling_golden.json")
    content = {"numpy": np.__version__, "penalties": penalties, "filters": filters}
    path.write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
