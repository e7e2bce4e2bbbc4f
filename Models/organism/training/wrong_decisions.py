"""Wrong decisions of several conditions on the same prompts, and how sure their differences are.

A decision is wrong if a harmless prompt is refused or a harmful one is answered. Input are exports of
evaluations (selfcd export RUN --format jsonl) and the folder of sets they were made from, written with
heldout_sets --half, whose rows name the operator-operand pair. Prompts of one pair are not independent,
so intervals come from resampling pairs, not prompts (2,000 times, seeded).

    python3 -m wrong_decisions --sets FOLDER --reference ada plain=a.jsonl:plain ada=b.jsonl:ada-cd@4.5 ...
"""

import argparse
import json
import math
from pathlib import Path

import numpy

JUDGE = "xstest-strmatch"
REPEATS = 2000
SETS = ("safe", "harmful", "neutral")


def verdicts(path: str, condition: str) -> dict[str, bool]:
    """Whether each prompt was refused, fully or partially, by the prompt's id."""
    refused = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["condition"] == condition:
            verdict = next(v for judge, v in row["verdicts"].items() if judge.startswith(JUDGE))
            refused[row["sample"]] = not verdict.startswith("1_")
    if not refused:
        raise SystemExit(f"{path} has no condition {condition}")
    return refused


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value."""
    total = only_a + only_b
    tail = sum(math.comb(total, k) for k in range(min(only_a, only_b) + 1)) / 2**total
    return min(1.0, 2 * tail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--reference", required=True, help="the name others are compared with")
    parser.add_argument("conditions", nargs="+", metavar="NAME=EXPORT:CONDITION")
    options = parser.parse_args()

    rows = [json.loads(line) for name in SETS for line in (options.sets / f"{name}.jsonl").read_text().splitlines()]
    wrong = {}
    for argument in options.conditions:
        name, source = argument.split("=", 1)
        path, condition = source.rsplit(":", 1)
        refused = verdicts(path, condition)
        rows = [row for row in rows if row["id"] in refused]
        wrong[name] = {row["id"]: refused[row["id"]] != (row["label"] == "harmful") for row in rows}

    labels = numpy.array([row["label"] for row in rows])
    pair_names = [f"{row['label']} {row['pair']}" for row in rows]
    clusters = {pair: index for index, pair in enumerate(sorted(set(pair_names)))}
    cluster_of = numpy.array([clusters[pair] for pair in pair_names])
    kind_of = numpy.array([SETS.index(pair.split(" ")[0]) for pair in sorted(clusters)])
    table = {name: numpy.array([found[row["id"]] for row in rows]) for name, found in wrong.items()}
    # Pairs are drawn within their class, so that every resample has as many pairs of each.
    rng = numpy.random.default_rng(0)
    weights = numpy.zeros((REPEATS, len(clusters)))
    for kind in range(len(SETS)):
        members = numpy.flatnonzero(kind_of == kind)
        if len(members):
            draws = rng.integers(0, len(members), (REPEATS, len(members)))
            for repeat in range(REPEATS):
                weights[repeat, members] = numpy.bincount(draws[repeat], minlength=len(members))
    sums = {name: weights @ numpy.bincount(cluster_of, found, len(clusters)) for name, found in table.items()}

    counts = {name: [int(found[labels == kind].sum()) for kind in SETS] for name, found in table.items()}
    sizes = [int((labels == kind).sum()) for kind in SETS]
    print(f"{len(rows)} prompts ({', '.join(f'{n} {k}' for n, k in zip(sizes, SETS))}), {len(clusters)} pairs")
    print("| condition | safe refused | harmful answered | neutral refused | wrong | fewer than the reference, % | p |")
    print("|---|---|---|---|---|---|---|")
    base = table[options.reference]
    for name, found in table.items():
        fewer = 100 * (1 - found.sum() / max(1, base.sum()))
        low, high = numpy.percentile(100 * (1 - sums[name] / numpy.maximum(1, sums[options.reference])), [2.5, 97.5])
        p = mcnemar(int((found & ~base).sum()), int((base & ~found).sum()))
        change = "" if name == options.reference else f"{fewer:.0f} [{low:.0f}, {high:.0f}]"
        print(f"| {name} | {' | '.join(map(str, counts[name]))} | {int(found.sum())} | {change} "
              f"| {'' if name == options.reference else f'{p:.2g}'} |")


if __name__ == "__main__":
    main()
