#!/usr/bin/env python3
"""Refusal rates from an export, beside those that a report has: a start for an analysis of your own.

    selfcd export first -o first.csv
    selfcd report first --figures figures
    python3 Examples/analysis/rates.py first.csv figures/rates.csv

Needs pandas. Exit status 1: the two differ. 2: pandas is not installed.
"""
import argparse
import sys

try:
    import pandas as pd
except ImportError:
    print("rates.py needs pandas, which this Python does not have: pip install pandas", file=sys.stderr)
    sys.exit(2)

KEYS = ["condition", "label"]
TEXTS = ["run", "model", "condition", "set", "id", "label", "judge", "judge_version", "strategy", "category"]


def read(path):
    """A file as a table; names stay texts, also those that look like numbers or like nothing."""
    if path.endswith(".jsonl"):
        return pd.read_json(path, lines=True, dtype=False)
    return pd.read_csv(path, dtype={name: str for name in TEXTS}, keep_default_na=False, na_values=[""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", help="what 'selfcd export' wrote, as .csv or .jsonl")
    parser.add_argument("rates", nargs="?", help="rates.csv of 'selfcd report --figures'")
    options = parser.parse_args()

    replies = read(options.export)
    # Of several replies to a prompt the first counts, and a reply without a verdict does not.
    replies = replies[(replies["repetition"] == 0) & replies["refused"].notna() & replies["label"].notna()]
    if replies.empty:
        print("No reply of the export has a verdict and a label; 'selfcd judge RUN' judges a run.", file=sys.stderr)
        return 1
    table = replies.groupby(KEYS, sort=False)["refused"].agg(refused="sum", n="count", rate="mean")
    print(table.round(4).to_string())

    reference = "guarded" if "guarded" in set(replies["condition"]) else replies["condition"].iloc[0]
    prompts = replies.pivot_table(index=["label", "set", "id"], columns="condition", values="refused")
    difference = prompts.sub(prompts[reference], axis=0).groupby("label").mean().T
    print(f"\nless the rate of {reference}, on the same prompts\n{difference.round(4).to_string()}")

    if options.rates is None:
        return 0
    report = read(options.rates)
    pooled = report[(report["measure"] == "refused") & report["set"].isna() & report["category"].isna()]
    theirs = pooled.set_index(KEYS)[["count", "n"]].rename(columns={"n": "n_report"})
    both = table.join(theirs, how="outer")
    same = (both["refused"] == both["count"]) & (both["n"] == both["n_report"])
    print(f"\n{int(same.sum())} of {len(both)} rates are those of the report")
    return 0 if same.all() else 1


if __name__ == "__main__":
    sys.exit(main())
