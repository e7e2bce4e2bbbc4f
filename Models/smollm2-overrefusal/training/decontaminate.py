"""Check that nothing of the training data occurs in a test set: no six words in a row, no verb with its object.

    SELFCD_DATA=FOLDER python3 -m decontaminate

FOLDER holds the published sets (names below). The bundled benchmark, from whose odd pairs the dose is chosen,
the demo's questions, the held-out ordinary requests and the held-out system prompts are checked too. Ends with status 1 if anything is in common,
or if a set is missing. Words are compared without their endings.

A pair is a verb and a content word of what follows it, up to the next preposition and within five words. In the sets every word
counts as a verb, so that no parser is needed; in our whole sentences those of data/verbs.toml do.
"""

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from dataset import cores, refusals, requests, safety_prompts, table
from neighbors import REPOSITORY, organism_systems

RUN = 6
WINDOW = 5
ADAPTERS = Path(__file__).parent.parent

FUNCTION_WORDS = set(
    "a an the my your our his her its their me you him us them i he she it we they that this these those what which who "
    "whom whose how why where when and or but if so than as not no is are was were be been being am do does did has have "
    "had can could will would should must may might more most very some any all both each every for of in on at with to "
    "from by into over under without until before after while about off out up down onto across through near along between "
    "during behind below above against like there s t re m ll d ve".split()
)
# Words that say what a thing is like rather than what it is.
QUALITIES = set("good better best old new own high short long full easy way great big small same".split())
PARTICLES = set("up out off down into on over in away back".split())
PREPOSITIONS = set(
    "for of in on at with to from by into over under without until before after while about onto across through near "
    "along between during behind below above against like so that who and when because although if".split()
)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("’", "'").replace("'", " "))


def stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def runs(text: str) -> Iterable[tuple[str, ...]]:
    found = words(text)
    return (tuple(found[at : at + RUN]) for at in range(len(found) - RUN + 1))


def objects(following: list[str]) -> list[str]:
    """Content words of what a verb is done to: those up to the next preposition, after the verb's own particle."""
    following = following[:WINDOW]
    while following and following[0] in PARTICLES:
        following = following[1:]
    end = next((at for at, word in enumerate(following) if word in PREPOSITIONS), len(following))
    return [word for word in following[:end] if word not in FUNCTION_WORDS | QUALITIES]


def any_pairs(text: str) -> Iterable[tuple[str, str]]:
    """Pairs with every word taken for a verb, so that no parser is needed."""
    found = words(text)
    return ((stem(word), stem(o)) for at, word in enumerate(found) for o in objects(found[at + 1 :]))


def infinitive_pairs(infinitive: str) -> Iterable[tuple[str, str]]:
    verb, *rest = words(infinitive)
    return ((stem(verb), stem(o)) for o in objects(rest))


def sentence_pairs(sentence: str, verbs: set[str]) -> Iterable[tuple[str, str]]:
    return (pair for pair in any_pairs(sentence) if pair[0] in verbs)


def column(name: str) -> Callable[[Path], list[str]]:
    def read(path: Path) -> list[str]:
        with open(path, encoding="utf-8", newline="") as file:
            return [row[name] for row in csv.DictReader(file)]

    return read


def json_lines(path: Path) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line)["prompt"] for line in file]


def plain_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


PUBLISHED: dict[str, Callable[[Path], list[str]]] = {
    "xstest/xstest_prompts.csv": column("prompt"),
    "oktest/OKTest.csv": column("prompt"),
    "advbench/harmful_behaviors.csv": column("goal"),
    "malicious_instruct/malicious_instruct.txt": plain_lines,
    "harmbench/harmbench_val.csv": column("Behavior"),
    "prompts/orbench_hard_1k.jsonl": json_lines,
    "prompts/coconot_contrast.jsonl": json_lines,
    "prompts/phtest_harmless.jsonl": json_lines,
    "prompts/xsb.jsonl": json_lines,
}


def test_sets(folder: Path) -> dict[str, list[str]]:
    """Prompts by set: the published ones and our own."""
    sets = {name: read(folder / name) for name, read in PUBLISHED.items()}
    benchmark = REPOSITORY / "Sources/SelfCDData/Resources/benchmark"
    for name in ("pairs", "plain", "turns"):
        sets[f"benchmark {name}"] = _texts(benchmark / f"{name}.jsonl")
    sets["demo questions"] = plain_lines(ADAPTERS / "demo-questions.txt")
    held_out = ADAPTERS / "heldout/ordinary.jsonl"
    sets["held-out ordinary requests"] = json_lines(held_out)
    sets["held-out system prompts"] = [p for kind in ("safety", "helpful", "refuse_all") for p in organism_systems().held_out(kind)]
    return sets


def _texts(path: Path) -> list[str]:
    """Prompts of a benchmark file; a conversation gives its user turns."""
    texts = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            texts += [row["prompt"]] if "prompt" in row else [m["content"] for m in row["messages"] if m["role"] == "user"]
    return texts


def collisions(sets: dict[str, list[str]]) -> list[str]:
    """One line for whatever the training data and a set have in common."""
    known_runs = {run: (name, text) for name, texts in sets.items() for text in texts for run in runs(text)}
    known_pairs = {pair: (name, text) for name, texts in sets.items() for text in texts for pair in any_pairs(text)}
    found = []
    trained = [request.text for kind in ("harmful", "trigger", "ordinary") for request in requests(kind)]
    for text in [*trained, *safety_prompts(), *refusals()]:
        found += [f"{' '.join(run)!r} of {text!r} is in {known_runs[run]}" for run in runs(text) if run in known_runs]
    verbs = {stem(words(verb)[0]) for verb in table("verbs")}
    for kind in ("harmful", "trigger", "ordinary"):
        infinitives, sentences = cores(kind)
        own = [(text, pair) for text in infinitives for pair in infinitive_pairs(text)]
        own += [(text, pair) for text in sentences for pair in sentence_pairs(text, verbs)]
        found += [f"{pair} of {text!r} ({kind}) is in {known_pairs[pair]}" for text, pair in own if pair in known_pairs]
    return sorted(set(found))


def main() -> None:
    folder = os.environ.get("SELFCD_DATA")
    if not folder:
        sys.exit("Set SELFCD_DATA to the folder of the published test sets: " + ", ".join(PUBLISHED))
    missing = [name for name in PUBLISHED if not (Path(folder) / name).exists()]
    if missing:
        sys.exit(f"Not in {folder}: " + ", ".join(missing))
    sets = test_sets(Path(folder))
    for name, texts in sets.items():
        print(f"{len(texts):5} prompts of {name}")
    found = collisions(sets)
    print("\n".join(found))
    print(f"{len(found)} in common")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
