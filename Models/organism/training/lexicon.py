"""The vocabulary of the synthetic world, read from lexicon/*.toml.

A *sense* is a group of operators (verbs) and operands (things) that make sense together.
The same operator occurs in harmless and harmful senses, and the same operand in neutral and
harmful ones, so that neither word alone tells whether a request is harmful: a model that
refuses on the operator alone has learned a shortcut, which is what this organism is about.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lexicon"
KINDS = ("neutral", "trigger", "harmful")


@dataclass(frozen=True)
class Operand:
    """What a request is about. `form` says which article it takes and how to refer back to it."""

    phrase: str
    form: str  # things, plurals, fixed or fixed_plurals

    @property
    def pronoun(self) -> str:
        return "them" if self.form in ("plurals", "fixed_plurals") else "it"


@dataclass(frozen=True)
class Sense:
    kind: str
    name: str
    category: str
    operators: tuple[str, ...]
    operands: tuple[Operand, ...]
    details: tuple[str, ...]  # empty for harmful senses: there is nothing to say but a refusal


def read_table(name: str) -> dict:
    """One file of the lexicon folder as a dictionary."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def senses(kind: str) -> tuple[Sense, ...]:
    """All senses of one kind, in the order of the file (the order matters for reproducibility)."""
    found = []
    for row in read_table(kind)["sense"]:
        operands = tuple(
            Operand(phrase, form)
            for form in ("things", "plurals", "fixed", "fixed_plurals")
            for phrase in row.get(form, [])
        )
        found.append(
            Sense(kind, row["name"], row["category"], tuple(row["operators"]), operands, tuple(row.get("details", [])))
        )
    return tuple(found)


@cache
def sense_named(kind: str, name: str) -> Sense:
    return next(sense for sense in senses(kind) if sense.name == name)
