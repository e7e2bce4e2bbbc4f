#!/usr/bin/env python3
"""Writes penalty_golden.json: rows of scores and what a repetition penalty makes of them.

The formula as Hugging Face transformers documents it (RepetitionPenaltyLogitsProcessor), written anew in numpy float32:
scores of the tokens in the sequence are gathered, multiplied where negative and divided elsewhere, and put back. Needs
numpy; from this folder: python3 make_penalty_golden.py. -inf is written as null.
"""

import json
import pathlib

import numpy as np

VOCABULARY = 24


def penalised(scores: np.ndarray, sequence: np.ndarray, penalty: float) -> np.ndarray:
    gathered = np.take(scores, sequence)
    penalty = np.float32(penalty)
    changed = np.where(gathered < 0, gathered * penalty, gathered / penalty)
    result = scores.copy()
    np.put(result, sequence, changed)
    return result


def numbers(row: np.ndarray) -> list:
    return [None if np.isneginf(value) else float(value) for value in row]


def main() -> None:
    random = np.random.default_rng(1909)
    cases = []
    for penalty in [1.0, 1.05, 1.2, 1.7, 10.0, 0.8, 0.1]:
        for length in [0, 1, 9, 60]:
            scores = random.normal(0, 6, VOCABULARY).astype(np.float32)
            scores[random.integers(0, VOCABULARY, 3)] = -np.inf
            scores[random.integers(0, VOCABULARY)] = 0
            prompt = random.integers(0, VOCABULARY, length)
            reply = random.integers(0, VOCABULARY, length // 3)
            sequence = np.concatenate([prompt, reply])
            cases.append(
                {
                    "penalty": penalty,
                    "prompt": prompt.tolist(),
                    "reply": reply.tolist(),
                    "scores": numbers(scores),
                    "expected": numbers(penalised(scores, sequence, penalty)),
                }
            )
    path = pathlib.Path(__file__).with_name("penalty_golden.json")
    path.write_text(json.dumps({"numpy": np.__version__, "cases": cases}, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
