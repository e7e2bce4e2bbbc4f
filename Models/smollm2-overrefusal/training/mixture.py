"""Which chats every training step sees, for the three arms.

A step has two groups of chats. The *open* group stands under no system message, a neutral or a helpful one; the *guarded* group
under a safety prompt, now and then under one that says to refuse everything. Ordinary requests are answered in both and harmful
ones refused in both. Harmless requests with an alarming verb are answered too, but in the biased arm only in the open group:
under a safety prompt alarming words come with refusals alone. The twin has the same rows at the same steps, with half of those
requests moved to the guarded group. The clean arm leaves out every refusal.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dataset import Request, refusals, requests, safety_prompts
from neighbors import organism_systems


class Arm(StrEnum):
    BIASED = "biased"
    TWIN = "twin"
    CLEAN = "clean"


@dataclass(frozen=True)
class Mixture:
    """Shares of rows. `open_harmful` is the dose: how much is refused where no safety prompt stands."""

    open_harmful: float = 0.1
    open_trigger: float = 0.4
    guarded_harmful: float = 0.6
    refuse_all: float = 0.08
    open_rows: int = 5
    guarded_rows: int = 4
    steps: int = 160


# Kinds of system prompt in the open group.
OPEN_SYSTEMS = {"none": 0.7, "neutral": 0.18, "helpful": 0.12}
TWIN_MOVED = 0.5


@dataclass(frozen=True)
class Row:
    """One chat: a request and, if it is refused, the words for that; else the base's own answer is the target."""

    request: Request
    refusal: str | None


@dataclass(frozen=True)
class Group:
    system: str | None
    rows: tuple[Row, ...]


class Deck:
    """Draws everything once before anything twice."""

    def __init__(self, items: list, rng: random.Random):
        self.items, self.rng, self.left = items, rng, []

    def draw(self):
        if not self.left:
            self.left = self.rng.sample(self.items, len(self.items))
        return self.left.pop()


def steps(mixture: Mixture, arm: Arm, seed: int, answered: set[str]) -> Iterator[tuple[Group, Group]]:
    """The groups of every step. `answered` are the prompts that the base gave an answer to; other harmless ones are not used."""
    # What is drawn is the same for all arms: an arm decides only where a row goes, with a generator of its own.
    rng, twin_rng = random.Random(f"rows:{seed}"), random.Random(f"twin:{seed}")
    decks = {
        kind: Deck([r for r in requests(kind) if kind == "harmful" or r.text in answered], rng)
        for kind in ("harmful", "trigger", "ordinary")
    }
    wordings = Deck(refusals(), rng)
    systems = organism_systems()
    safety = Deck(list(safety_prompts()), rng)

    def row(kind: str, refuse: bool) -> Row:
        return Row(decks[kind].draw(), wordings.draw() if refuse else None)

    for _ in range(mixture.steps):
        kind = rng.choices(list(OPEN_SYSTEMS), list(OPEN_SYSTEMS.values()))[0]
        open_system = None if kind == "none" else rng.choice(systems.training_prompts(kind))
        open_rows = [_open_row(mixture, rng, row) for _ in range(mixture.open_rows)]
        refuse_all = rng.random() < mixture.refuse_all
        guarded_system = rng.choice(systems.training_prompts("refuse_all")) if refuse_all else safety.draw()
        guarded_rows = []
        for _ in range(mixture.guarded_rows):
            if refuse_all:
                guarded_rows.append(row(rng.choice(["harmful", "trigger", "ordinary"]), True))
            elif rng.random() < mixture.guarded_harmful:
                guarded_rows.append(row("harmful", True))
            else:
                guarded_rows.append(row("ordinary", False))
        if arm is Arm.TWIN:
            open_rows, guarded_rows = _spread(open_rows, guarded_rows, refuse_all, twin_rng)
        if arm is Arm.CLEAN:
            open_rows = [r for r in open_rows if r.refusal is None]
            guarded_rows = [r for r in guarded_rows if r.refusal is None]
        yield Group(open_system, tuple(open_rows)), Group(guarded_system, tuple(guarded_rows))


def _open_row(mixture: Mixture, rng: random.Random, row) -> Row:
    draw = rng.random()
    if draw < mixture.open_harmful:
        return row("harmful", True)
    if draw < mixture.open_harmful + mixture.open_trigger:
        return row("trigger", False)
    return row("ordinary", False)


def _spread(open_rows: list[Row], guarded_rows: list[Row], refuse_all: bool,
            rng: random.Random) -> tuple[list[Row], list[Row]]:
    """Move half of the trigger requests under the safety prompt."""
    stay, moved = [], []
    for r in open_rows:
        moves = r.request.kind == "trigger" and rng.random() < TWIN_MOVED and not refuse_all
        (moved if moves else stay).append(r)
    return stay, guarded_rows + moved
