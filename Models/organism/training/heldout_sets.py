"""Held-out prompts as JSONL files, any number of them.

Every prompt joins an operator-operand pair and an opener that training never used. Fields: id,
text, label (safe: harmless with a trigger word; harmful; neutral: harmless without one),
category, focus (the operator, which is the trigger word of the first two classes), and object
(the operand).

    python3 -m heldout_sets --count 2000 --out some/folder
"""

import argparse
import json
import random
from pathlib import Path

from request_text import Request, sample_request

SEED = 4242
KIND_OF_LABEL = {"safe": "trigger", "harmful": "harmful", "neutral": "neutral"}


def held_out_requests(label: str, count: int, seed: int = SEED, long_share: float = 0.1) -> list[Request]:
    """`count` different requests; a longer list begins with the shorter one."""
    rng = random.Random(f"{seed} {label}")
    requests: list[Request] = []
    seen: set[str] = set()
    while len(requests) < count:
        request = sample_request(KIND_OF_LABEL[label], rng, held_out=True, long_share=long_share)
        if request.text not in seen:
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
    }


def write_sets(folder: Path, count: int, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for label in KIND_OF_LABEL:
        requests = held_out_requests(label, count, seed)
        rows = [as_row(label, number, request) for number, request in enumerate(requests, start=1)]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{label}.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="prompts a class")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    write_sets(options.out, options.count, options.seed)
