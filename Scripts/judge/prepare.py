#!/usr/bin/env python3
"""Makes files of labelled replies ready for `selfcd judge --features`, one a source.

    Scripts/judge/prepare.py -o FOLDER LABELS.jsonl [LABELS.csv ...]

Reads `prompt`, `completion` and `label` (or `human_label`) and writes JSON lines with `human_label`, `half` (even or
odd, by the first bit of the SHA-256 of the prompt), `confidence` (high, or other where the label is mapped from one
that means something else) and the columns that XSTest's files have. Rows without one of the three classes are left out, and
so are replies that their publisher cut inside the reasoning. What it writes holds the texts: it is no part of the
product.
"""

import argparse
import csv
import hashlib
import json
import pathlib

CLASSES = {"1_full_compliance", "2_full_refusal", "3_partial_refusal"}
REASONING = [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("◁think▷", "◁/think▷")]
KEPT = ["type", "strmatch_label", "gpt4_label"]


def rows(path):
    with open(path, newline="") as file:
        yield from csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)


def is_cut(reply):
    return any(reply.lstrip().startswith(a) and b not in reply for a, b in REASONING)


def half(prompt):
    """The first bit, so that a prompt is in the same half whichever model answered it."""
    return "odd" if hashlib.sha256(prompt.encode()).digest()[0] >> 7 else "even"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for path in arguments.labels:
        kept = dropped = 0
        with open(arguments.output / (path.stem + ".jsonl"), "w") as out:
            for row in rows(path):
                label = row.get("human_label") or row.get("label")
                if label not in CLASSES or is_cut(row["completion"]):
                    dropped += 1
                    continue
                kept += 1
                record = {key: row[key] for key in ("id", "prompt", "completion")}
                record |= {"human_label": label, "half": half(row["prompt"])}
                record["confidence"] = "high" if (row.get("map_confidence") or "high") == "high" else "other"
                record |= {key: row[key] for key in KEPT if key in row}
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
        print(f"{path.stem}: {kept} kept, {dropped} left out")


if __name__ == "__main__":
    main()
