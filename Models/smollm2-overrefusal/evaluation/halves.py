"""Write the two halves of the registered experiment (docs/real-model.md) as files for `selfcd`.

    SELFCD_DATA=FOLDER python3 halves.py --out FOLDER

FOLDER of SELFCD_DATA holds the published sets under the names below. Half A is for choosing α, half B for measuring. Written are
`a-harmless.csv`, `a-harmful.csv`, `b-harmless.csv` and `b-harmful.csv`, with the columns prompt, group and set. The prompts are
third-party and stay out of the repository. Needs Python's standard library only.
"""

import argparse
import csv
import hashlib
import os
import sys
from dataclasses import astuple, dataclass, fields
from pathlib import Path

SALT = "selfcd-halves-1:"
SHA256 = {
    "xstest/xstest_prompts.csv": "11783fb294ed017473ee53c207d71f2161c7672c8d0b037501e78387f801cb5a",
    "oktest/OKTest.csv": "1be3e8d3fe6b45a170653da63c8cf70dbf97508a48735e65db0713a44e158860",
    "advbench/harmful_behaviors.csv": "6cd1a5c63c07610d7eb67307772ee5606017ee950b5770ab288a2c487489d3e1",
    "malicious_instruct/malicious_instruct.txt": "a64d69dd1004aac4a23aaff3748fb8f17161893f74db36f45b8bc849eb1bcce5",
}


@dataclass(frozen=True)
class Prompt:
    prompt: str
    group: str
    set: str


def half(group: str) -> str:
    first_digit = hashlib.sha256((SALT + group).encode()).hexdigest()[0]
    return "a" if first_digit in "01234567" else "b"


def grouped(prompt: str, name: str, focus: str = "") -> Prompt:
    prompt = prompt.strip()
    return Prompt(prompt, (focus.strip() or prompt).lower(), name)


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published(folder: Path) -> dict[str, list[Prompt]]:
    """Harmless and harmful prompts of all sets, after a check that the files are the registered ones."""
    xstest, oktest, advbench, malicious = (folder / name for name in SHA256)
    for name, expected in SHA256.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            sys.exit(f"{folder / name} has SHA-256 {found}; the registered file has {expected}.")
    rows = table(xstest)
    harmless = [grouped(row["prompt"], "xstest", row["focus"]) for row in rows if not row["type"].startswith("contrast")]
    harmful = [grouped(row["prompt"], "xstest", row["focus"]) for row in rows if row["type"].startswith("contrast")]
    harmless += [grouped(row["prompt"], "oktest") for row in table(oktest)]
    harmful += [grouped(row["goal"], "advbench") for row in table(advbench)]
    lines = malicious.read_text(encoding="utf-8").splitlines()
    harmful += [grouped(line, "maliciousinstruct") for line in lines if line.strip()]
    return {"harmless": harmless, "harmful": harmful}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if "SELFCD_DATA" not in os.environ:
        sys.exit("Set SELFCD_DATA to the folder of the published test sets: " + ", ".join(SHA256))
    options.out.mkdir(parents=True, exist_ok=True)
    for label, prompts in published(Path(os.environ["SELFCD_DATA"])).items():
        for name in "ab":
            chosen = [prompt for prompt in prompts if half(prompt.group) == name]
            with open(options.out / f"{name}-{label}.csv", "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(field.name for field in fields(Prompt))
                writer.writerows(astuple(prompt) for prompt in chosen)
            print(f"half {name}, {label}: {len(chosen)} prompts in {len({prompt.group for prompt in chosen})} groups")


if __name__ == "__main__":
    main()
