"""The tables of the registered experiment (docs/real-model.md) from runs of `selfcd`, as Markdown.

    python3 tables.py --halves FOLDER --exports FOLDER

FOLDER of `--halves` is what `halves.py` wrote; the prompts of the runs have to come from its files. FOLDER of `--exports` holds what
`selfcd export RUN -o FILE.jsonl` wrote; file names end in the model's name, `biased-1.jsonl` to `clean-3.jsonl` or `base.jsonl`, with
anything and a `-` before. Where a reply is in two runs, the one of the file that comes first in the alphabet, reversed, counts. Counts are
in every cell, so that a set that was not finished is seen. Intervals are 95 %, by a bootstrap over groups. Needs NumPy.
"""

import argparse
import csv
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy

RESAMPLES = 10_000
SEED = 20261126
ANSWER = "1_full_compliance"
REFUSALS = ("2_full_refusal", "3_partial_refusal")
SETS = {"harmless": ("xstest", "oktest"), "harmful": ("xstest", "advbench", "maliciousinstruct")}
TITLES = {"xstest": "XSTest", "oktest": "OKTest", "advbench": "AdvBench", "maliciousinstruct": "MaliciousInstruct"}
MAIN = ("plain", "guarded", "helpful", "self-cd@1.5", "self-cd@2.5", "ada-cd@4.5")


@dataclass(frozen=True)
class Prompt:
    half: str
    label: str
    set: str
    group: str


@dataclass
class Model:
    """Verdicts by judge, condition and prompt (data set and row)."""

    name: str
    verdicts: dict[str, dict[str, dict[tuple[str, str], str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )


def read_prompts(folder: Path) -> dict[tuple[str, str], Prompt]:
    prompts = {}
    for half in "ab":
        for label in SETS:
            with open(folder / f"{half}-{label}.csv", encoding="utf-8", newline="") as file:
                # Row 1 is the header, so the first prompt is what `selfcd` calls 2.
                for number, row in enumerate(csv.DictReader(file), start=2):
                    prompts[(f"{half}-{label}", str(number))] = Prompt(half, label, row["set"], row["group"])
    return prompts


def read_models(folder: Path) -> dict[str, Model]:
    models: dict[str, Model] = {}
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        found = re.search(r"(?:^|-)((?:biased|twin|clean)-\d+|base)\.jsonl$", path.name)
        if not found:
            continue
        model = models.setdefault(found[1], Model(found[1]))
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["repetition"] != 0:
                continue
            for judge, verdict in record["verdicts"].items():
                verdicts = model.verdicts[judge.split("@")[0]][record["condition"]]
                verdicts.setdefault((record["dataset"], record["sample"]), verdict)
    return models


class Sample:
    """Outcomes of conditions on the prompts that all of them have, with what a bootstrap over groups says of them."""

    def __init__(self, model: Model, prompts, conditions, label, sets, halves="ab", judge="selfcd"):
        columns = [model.verdicts[judge].get(condition, {}) for condition in conditions]
        counts = (lambda v: v != ANSWER) if label == "harmless" else (lambda v: v in REFUSALS)
        groups: dict[str, list[list[int]]] = defaultdict(list)
        for key, prompt in prompts.items():
            if prompt.label == label and prompt.set in sets and prompt.half in halves and all(key in c for c in columns):
                groups[prompt.group].append([int(counts(column[key])) for column in columns])
        self.conditions = list(conditions)
        self.groups = groups
        self.n = sum(map(len, groups.values()))
        if self.n == 0:
            return
        # By group: how many prompts, and how many with the outcome in each condition.
        sums = numpy.array([[len(rows), *numpy.sum(rows, axis=0)] for rows in groups.values()], dtype=float)
        self.counts = sums[:, 1:].sum(axis=0).astype(int)
        generator = numpy.random.default_rng(SEED)
        weights = generator.multinomial(len(sums), numpy.full(len(sums), 1 / len(sums)), size=RESAMPLES)
        drawn = weights @ sums
        self.rates = self.counts / self.n
        self.drawn = drawn[:, 1:] / drawn[:, :1]

    def rate(self, condition: str) -> str:
        if self.n == 0:
            return "–"
        index = self.conditions.index(condition)
        low, high = numpy.quantile(self.drawn[:, index], [0.025, 0.975])
        return f"{self.counts[index]} of {self.n}, {100 * self.rates[index]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"

    def difference(self, first: str, second: str) -> tuple[float, numpy.ndarray]:
        one, other = self.conditions.index(first), self.conditions.index(second)
        return self.rates[one] - self.rates[other], self.drawn[:, one] - self.drawn[:, other]


def points(difference: float, drawn: numpy.ndarray) -> str:
    low, high = numpy.quantile(drawn, [0.025, 0.975])
    return f"{100 * difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


def head(*cells: str) -> None:
    row(*cells)
    print("|" + "---|" * len(cells))


def causal_claim(models: dict[str, Model], prompts, judge: str) -> None:
    print(f"\nUnanswered harmless prompts of XSTest and OKTest, all of them; judge `{judge}`:\n")
    head("model", "plain, %", "guarded, %", "guarded − plain, points")
    for name in sorted(models):
        sample = Sample(models[name], prompts, ("plain", "guarded"), "harmless", SETS["harmless"], judge=judge)
        if sample.n:
            row(name, sample.rate("plain"), sample.rate("guarded"), points(*sample.difference("guarded", "plain")))


def arms(models: dict[str, Model], prompts) -> None:
    print("\nGuarded − plain, twin against biased of the same seed (the same prompts, groups drawn together):\n")
    head("seed", "biased − twin, points")
    for seed in "123":
        names = [f"biased-{seed}", f"twin-{seed}"]
        if not all(name in models for name in names):
            continue
        samples = [
            Sample(models[name], prompts, ("plain", "guarded"), "harmless", SETS["harmless"]) for name in names
        ]
        if samples[0].groups.keys() != samples[1].groups.keys():
            continue
        (one, first), (other, second) = (sample.difference("guarded", "plain") for sample in samples)
        row(seed, points(one - other, first - second))


def main_conditions(model: Model, prompts, judge: str) -> None:
    print(f"\n{model.name}: unanswered harmless and refused harmful prompts, %; judge `{judge}`:\n")
    columns = [(label, name) for label, names in SETS.items() for name in names]
    head("condition", *(f"{TITLES[name]}, {label}" for label, name in columns))
    for condition in MAIN:
        if condition in model.verdicts[judge]:
            row(
                condition,
                *(
                    Sample(model, prompts, (condition,), label, (name,), judge=judge).rate(condition)
                    for label, name in columns
                ),
            )


def strengths(model: Model, prompts) -> None:
    """Half B at every strength: what calibration chooses from is seen beside what it chose."""
    print(f"\n{model.name}, half B: every strength, against guarded on the same prompts:\n")
    head("condition", "harmless unanswered, %", "less than guarded, points", "harmful refused, %", "less than guarded, points")
    conditions = ["plain", "helpful", *(f"self-cd@{a:g}" for a in (0.5, 1, 1.5, 2, 2.5, 3)), "ada-cd@4.5", "probe-cd@2"]
    for condition in ["guarded", *conditions]:
        if condition not in model.verdicts["selfcd"]:
            continue
        cells = []
        for label, names in SETS.items():
            sample = Sample(model, prompts, ("guarded", condition), label, names, halves="b")
            cells.append(sample.rate(condition))
            cells.append(points(*sample.difference("guarded", condition)) if sample.n and condition != "guarded" else "")
        row(condition, *cells)


def mean_outcome(models: dict[str, Model], prompts, condition: str) -> None:
    samples = [
        Sample(model, prompts, ("guarded", "plain", condition), "harmless", SETS["harmless"], halves="b")
        for name, model in sorted(models.items())
        if name.startswith("biased") and condition in model.verdicts["selfcd"]
    ]
    samples = [sample for sample in samples if sample.n]
    if len({tuple(sample.groups) for sample in samples}) != 1:
        return
    for reference in ("guarded", "plain"):
        found = [sample.difference(reference, condition) for sample in samples]
        mean = sum(one for one, _ in found) / len(found)
        drawn = sum(one for _, one in found) / len(found)
        print(f"- {reference} − {condition}, unanswered harmless of half B, mean of {len(found)} seeds: {points(mean, drawn)} points")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halves", type=Path, required=True)
    parser.add_argument("--exports", type=Path, required=True)
    options = parser.parse_args()
    prompts = read_prompts(options.halves)
    models = read_models(options.exports)
    for judge in ("selfcd", "xstest-strmatch"):
        causal_claim(models, prompts, judge)
    arms(models, prompts)
    print()
    for condition in ("self-cd@1.5", "self-cd@2.5"):
        mean_outcome(models, prompts, condition)
    for name in sorted(models):
        if name.startswith("biased"):
            strengths(models[name], prompts)
    for name in sorted(models):
        main_conditions(models[name], prompts, "selfcd")


if __name__ == "__main__":
    main()
