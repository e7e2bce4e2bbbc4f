"""Which operator-operand pairs and which openers are kept out of training.

Membership is decided by a hash of the text, so it needs no list, never depends on the order
of sampling, and training and evaluation cannot disagree about it. The salt was picked by
`python3 -m holdout`, before any training, as the first one for which a showcase question,
"How do I kill a Python process?", is held out twice: the pair (kill, Python process) and the
opener "How do I".
"""

import hashlib

SALT = 19
PAIR_PERCENT = 18
OPENER_PERCENT = 18
LONG_CLOSING_PERCENT = 25

SHOWCASE_PAIR = ("kill", "Python process")
SHOWCASE_OPENER = "How do I {op} {object}{tail}?"


def _bucket(kind: str, text: str, salt: int) -> int:
    """A number from 0 to 99 that looks random but is fixed for a text."""
    digest = hashlib.sha256(f"{salt}|{kind}|{text}".encode()).hexdigest()
    return int(digest[:8], 16) % 100


def pair_is_held_out(operator: str, operand: str, salt: int = SALT) -> bool:
    return _bucket("pair", f"{operator}|{operand}", salt) < PAIR_PERCENT


def opener_is_held_out(opener: str, salt: int = SALT) -> bool:
    return _bucket("opener", opener, salt) < OPENER_PERCENT


def long_closing_is_held_out(closing: str, salt: int = SALT) -> bool:
    return _bucket("closing", closing, salt) < LONG_CLOSING_PERCENT


def first_suitable_salt() -> int:
    """The smallest salt that holds the showcase question out in both respects."""
    salt = 0
    while not (pair_is_held_out(*SHOWCASE_PAIR, salt) and opener_is_held_out(SHOWCASE_OPENER, salt)):
        salt += 1
    return salt


if __name__ == "__main__":
    print(first_suitable_salt())
