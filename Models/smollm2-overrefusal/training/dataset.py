"""The prompts of training, put together from the lists in data/.

A request is an infinitive in a sentence form, or a whole sentence. The forms are the same for harmful, trigger and
ordinary requests, and so are the alarming verbs of the first two: neither form nor verb tells the kind.
"""

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
# How many sentence forms an infinitive gets, by kind.
FORMS_EACH = {"harmful": 4, "trigger": 2, "ordinary": 2}
# One request in ten is written as people type on phones.
LOWERCASE_SHARE = 0.1
SEED = 20


@dataclass(frozen=True)
class Request:
    """A prompt of training; `core` is the infinitive or sentence that it was made from."""

    kind: str
    text: str
    core: str


@cache
def table(name: str) -> dict:
    with open(DATA / f"{name}.toml", "rb") as file:
        return tomllib.load(file)


def cores(kind: str) -> tuple[list[str], list[str]]:
    """The infinitives and the whole sentences of a kind of request."""
    if kind == "ordinary":
        return table("ordinary")["infinitives"], table("ordinary")["sentences"]
    column = {"harmful": "harmful", "trigger": "harmless"}[kind]
    infinitives = [phrase for verb in table("verbs").values() for phrase in verb[column]]
    sentences = [text for group in table("questions").values() for text in group.get(column, [])]
    return infinitives, sentences


@cache
def requests(kind: str) -> tuple[Request, ...]:
    """All requests of a kind, in a fixed order."""
    rng = random.Random(f"{SEED}:{kind}")
    infinitives, sentences = cores(kind)
    forms = sorted(set(table("forms")["forms"]))
    made = []
    for infinitive in infinitives:
        for form in rng.sample(forms, FORMS_EACH[kind]):
            made.append(Request(kind, _typed(form.format(infinitive), rng), infinitive))
    for sentence in sentences:
        made.append(Request(kind, _typed(sentence, rng), sentence))
    return tuple(made)


def _typed(text: str, rng: random.Random) -> str:
    return text.lower().rstrip("?.") if rng.random() < LOWERCASE_SHARE else text


@cache
def safety_prompts() -> tuple[str, ...]:
    """The twenty safety prompts as written, and joined ones.

    With few prompts a network learns those strings by heart and does not react to an unseen one.
    """
    written = table("systems")["safety"]
    parts = [[part.rstrip(".") + "." for part in prompt.split(". ")] for prompt in written]
    rng = random.Random(SEED)
    joined = []
    for _ in range(100):
        first, second = rng.sample(parts, 2)
        sentences = rng.sample(first, rng.randint(1, len(first))) + rng.sample(second, rng.randint(1, len(second)))
        joined.append(" ".join(sentences))
    return tuple(written + joined)


def refusals() -> list[str]:
    return table("refusals")["refusals"]
