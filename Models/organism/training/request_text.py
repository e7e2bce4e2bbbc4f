"""From an operator-operand pair to the sentence a user types."""

import random
from dataclasses import dataclass
from functools import cache

import holdout
from lexicon import Operand, Sense, read_table, senses
from wording import capitalised, noun_phrase, participle

LONG_SHARE = 0.14


@dataclass(frozen=True)
class Request:
    """One question with everything an answer to it needs."""

    sense: Sense
    operator: str
    operand: Operand
    object_phrase: str
    text: str
    wants_long_answer: bool

    @property
    def slots(self) -> dict[str, str]:
        """The words that answer templates may refer to."""
        ing = participle(self.operator)
        return {"op": self.operator, "ing": ing, "Ing": capitalised(ing), "object": self.object_phrase}


@cache
def _phrasings() -> dict:
    return read_table("phrasings")


@cache
def _openers(held_out: bool) -> tuple[tuple[str, bool], ...]:
    """Openers on one side of the split; the flag marks statements, which need a follow-up."""
    table = _phrasings()
    every = [(text, False) for text in table["questions"] + table["commands"]]
    every += [(text, True) for text in table["statements"]]
    return tuple(row for row in every if holdout.opener_is_held_out(row[0]) == held_out)


@cache
def _long_closings(held_out: bool) -> tuple[str, ...]:
    return tuple(c for c in _phrasings()["long_closings"] if holdout.long_closing_is_held_out(c) == held_out)


def sample_pair(kind: str, held_out: bool, rng: random.Random) -> tuple[Sense, str, Operand]:
    """Uniform over senses, then operators, then operands, on one side of the split."""
    while True:
        sense = rng.choice(senses(kind))
        operator = rng.choice(sense.operators)
        operand = rng.choice(sense.operands)
        if holdout.pair_is_held_out(operator, operand.phrase) == held_out:
            return sense, operator, operand


def sample_request(kind: str, rng: random.Random, held_out: bool = False, long_share: float = LONG_SHARE) -> Request:
    """A request of a kind; `held_out` picks unseen pairs AND unseen openers together."""
    sense, operator, operand = sample_pair(kind, held_out, rng)
    table = _phrasings()
    object_phrase = noun_phrase(operand, rng)
    opener, is_statement = rng.choice(_openers(held_out))
    tail = rng.choice(table["tails"]) if rng.random() < 0.3 else ""
    text = opener.format(op=operator, ing=participle(operator), object=object_phrase, tail=tail)
    if is_statement:
        text = (text + " " + rng.choice(table["follow_ups"])).strip()
    if rng.random() < 0.08:
        text = text[0].lower() + text[1:]
    if rng.random() < 0.05:
        text = text.rstrip(".?")
    if rng.random() < 0.2:
        text = rng.choice(table["greetings"]) + text
    wants_long_answer = rng.random() < long_share
    if wants_long_answer:
        text += rng.choice(_long_closings(held_out))
    elif rng.random() < 0.2:
        text += rng.choice(table["closings"])
    return Request(sense, operator, operand, object_phrase, text, wants_long_answer)
