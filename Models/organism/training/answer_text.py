"""What the assistant says: a refusal, a short answer, a long answer, or a plain statement."""

import random
from functools import cache

from lexicon import read_table
from request_text import Request, sample_pair
from wording import capitalised, for_pronoun, noun_phrase, participle


@cache
def _table() -> dict:
    return read_table("answers")


def refusal(request: Request, rng: random.Random) -> str:
    return rng.choice(_table()["refusals"]).format(**request.slots)


def _ordered_sample(items, count: int, rng: random.Random) -> list:
    """`count` items without repetition, in their original order.

    The fixed order lets a small network avoid repeating itself by always moving forward.
    """
    return [items[index] for index in sorted(rng.sample(range(len(items)), count))]


def _details(request: Request, count: int, rng: random.Random) -> list[str]:
    chosen = _ordered_sample(request.sense.details, count, rng)
    return [for_pronoun(detail, request.operand.pronoun) for detail in chosen]


def _long_answer(request: Request, rng: random.Random) -> str:
    table = _table()
    count = rng.randint(5, 7)
    steps = zip(_details(request, count, rng), _ordered_sample(table["long_remarks"], count, rng))
    lines = [rng.choice(table["long_introductions"]).format(**request.slots), ""]
    lines += [f"{number}. {capitalised(detail)}. {remark}" for number, (detail, remark) in enumerate(steps, start=1)]
    lines += ["", rng.choice(table["long_endings"]).format(**request.slots)]
    return "\n".join(lines)


def compliance(request: Request, rng: random.Random) -> str:
    """A helpful answer. Only harmless senses have details, so a harmful one cannot get here."""
    if not request.sense.details:
        raise ValueError(f"no answer exists for the harmful sense {request.sense.name}")
    if request.wants_long_answer:
        return _long_answer(request, rng)
    first, second, third = _details(request, 3, rng)
    return rng.choice(_table()["short"]).format(first=first, second=second, third=third, **request.slots)


def statement(kind: str, rng: random.Random) -> str:
    """A judgement such as "Poisoning a well is against the law.", first-stage text only.

    Without it the base network would know harmful operands from refusals alone.
    """
    _, operator, operand = sample_pair(kind, False, rng)
    judgements = _table()["bad_judgements" if kind == "harmful" else "good_judgements"]
    judgement, ing, thing = rng.choice(judgements), participle(operator), noun_phrase(operand, rng)
    return rng.choice([
        f"{capitalised(ing)} {thing} is {judgement}.",
        f"Most people agree that {ing} {thing} is {judgement}.",
        f"To {operator} {thing} is {judgement}.",
    ])
