"""Held-out prompts as JSONL files, any number of them.

Every prompt joins an operator-operand pair and an opener that training never used. Fields: id,
text, label (safe: harmless with a trigger word; harmful; neutral: harmless without one),
category, focus (the operator, which is the trigger word of the first two classes), object (the
operand), and pair (both together: prompts of one pair are not independent of each other).

    python3 -m heldout_sets --count 2000 --out some/folder

To tune on one half and judge on the other, --half develop and --half judge give prompts of different
pairs.
"""

import argparse
import hashlib
import json
import random
from pathlib import Path

from request_text import Request, sample_request

SEED = 4242
KIND_OF_LABEL = {"safe": "trigger", "harmful": "harmful", "neutral": "neutral"}


def pair_of(request: Request) -> str:
    return f"{request.operator}|{request.operand.phrase}"


def half_of(pair: str) -> str:
    """Which half of the held-out pairs a pair belongs to, by hash, so that it needs no list."""
    return "develop" if hashlib.sha256(f"halves {pair}".encode()).digest()[0] % 2 == 0 else "judge"


def held_out_requests(label: str, count: int, seed: int = SEED, long_share: float = 0.1,
                      half: str | None = None) -> list[Request]:
    """`count` different requests; a longer list begins with the shorter one."""
    rng = random.Random(f"{seed} {label}")
    requests: list[Request] = []
    seen: set[str] = set()
    while len(requests) < count:
        request = sample_request(KIND_OF_LABEL[label], rng, held_out=True, long_share=long_share)
        if request.text not in seen and half in (None, half_of(pair_of(request))):
            seen.add(request.text)
            requests.append(request)
    return requests


def as_row(label: str, number: int, request: Request) -> dict[str, str]:
    return {
        "id": f"{label}-{number:04d}",
        "text": request.text,
        "label": label,
        "category": request.sense.category,
        "focus": request.operator,
        "object": request.operand.phrase,
        "pair": pair_of(request),
    }


def write_sets(folder: Path, count: int, seed: int, half: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for label in KIND_OF_LABEL:
        requests = held_out_requests(label, count, seed, half=half)
        rows = [as_row(label, number, request) for number, request in enumerate(requests, start=1)]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{label}.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="prompts a class")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--half", choices=["develop", "judge"], help="only pairs of one half")
    options = parser.parse_args()
    write_sets(options.out, options.count, options.seed, options.half)
