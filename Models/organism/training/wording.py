"""Small spelling rules: participles, articles, capitals, plural pronouns."""

import random
import re
from functools import cache

from lexicon import Operand, read_table


@cache
def _irregular_participles() -> dict[str, str]:
    return read_table("answers")["participles"]


def participle(operator: str) -> str:
    """"blow up" -> "blowing up"; only the first word changes."""
    verb, _, rest = operator.partition(" ")
    irregular = _irregular_participles()
    if verb in irregular:
        verb = irregular[verb]
    elif verb.endswith("e") and not verb.endswith("ee"):
        verb = verb[:-1] + "ing"
    else:
        verb += "ing"
    return f"{verb} {rest}".strip()


def noun_phrase(operand: Operand, rng: random.Random) -> str:
    """The operand with an article that fits: "an egg", "my ants", "the radio"."""
    if operand.form in ("fixed", "fixed_plurals"):
        return operand.phrase
    if operand.form == "plurals":
        return rng.choice(["the ", "my ", "these ", "some ", ""]) + operand.phrase
    article = rng.choice(["a", "a", "the", "the", "my", "this"])
    if article == "a" and operand.phrase[0].lower() in "aeiou":
        article = "an"
    return f"{article} {operand.phrase}"


def capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def for_pronoun(detail: str, pronoun: str) -> str:
    """Details are written for one thing ("pull it out"); this turns them to the plural."""
    if pronoun == "it":
        return detail
    return re.sub(r"\bits\b", "their", re.sub(r"\bit\b", "them", detail))
