"""System prompts: a few written by hand and many composed from parts.

With only a handful of safety prompts the network learned those strings by heart and did not
react to an unseen one; about 250 composed prompts were needed before it did.
"""

import random
from functools import cache

from lexicon import read_table

SAFETY_COUNT = 260
HELPFUL_COUNT = 40
# One system prompt in five is followed by a second one, as when an application has its own.
STACKED_SHARE = 0.2


@cache
def _table() -> dict:
    return read_table("systems")


def held_out(kind: str) -> list[str]:
    """Prompts of this kind that training never sees."""
    return _table()["held_out"][kind]


PAPER_SAFETY = held_out("safety")[0]
PAPER_HELPFUL = held_out("helpful")[0]
REFUSE_ALL = held_out("refuse_all")[0]


def _composed_safety(rng: random.Random) -> str:
    parts = _table()["composed"]["safety"]
    adjectives = rng.sample(parts["adjectives"], rng.randint(2, 7))
    listing = ", ".join(adjectives[:-1]) + rng.choice([" or ", " and ", ", or "]) + adjectives[-1]
    sentences = [rng.choice(parts["roles"]), rng.choice(parts["attitudes"])]
    sentences.append(rng.choice(parts["rules"]).format(adjectives=listing))
    return " ".join(sentence for sentence in sentences if sentence)


def _composed_helpful(rng: random.Random) -> str:
    parts = _table()["composed"]["helpful"]
    return rng.choice(parts["roles"]) + " " + rng.choice(parts["rules"])


@cache
def training_prompts(kind: str) -> tuple[str, ...]:
    """All training prompts of a kind (neutral, helpful, safety or refuse_all)."""
    prompts = list(_table()["training"][kind])
    composer, count, seed = {
        "safety": (_composed_safety, SAFETY_COUNT, 11),
        "helpful": (_composed_helpful, HELPFUL_COUNT, 12),
    }.get(kind, (None, 0, 0))
    if composer:
        rng = random.Random(seed)
        forbidden = set(held_out(kind)) | set(prompts)
        composed: set[str] = set()
        while len(composed) < count:
            prompt = composer(rng)
            if prompt not in forbidden:
                composed.add(prompt)
        prompts += sorted(composed)
    return tuple(prompts)


def sample_training_prompt(kind: str, rng: random.Random) -> str | None:
    """A system prompt for one training chat; None for the kind "none"."""
    if kind == "none":
        return None
    prompt = rng.choice(training_prompts(kind))
    if kind != "neutral" and rng.random() < STACKED_SHARE:
        prompt += "\n\n" + rng.choice(training_prompts("neutral"))
    return prompt
