"""Whole training chats in ChatML, sampled from a mixture.

A mixture is a list of rows (weight, system prompt kind, request kind). The answer follows from
the row: harmful requests and the refuse-everything control get a refusal, all else an answer.
"""

import random
from dataclasses import dataclass

from answer_text import compliance, refusal, statement
from request_text import Request, sample_request
from systems import sample_training_prompt

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, TURN_START, TURN_END)


@dataclass(frozen=True)
class Example:
    """Text the network is shown (`context`) and text it has to produce (`target`)."""

    context: str
    target: str


def turn(role: str, content: str) -> str:
    return f"{TURN_START}{role}\n{content}{TURN_END}\n"


def render(messages: list[dict[str, str]]) -> str:
    """A chat as ChatML, ready for the assistant's next turn; the same as the GGUF's template."""
    return "".join(turn(m["role"], m["content"]) for m in messages) + f"{TURN_START}assistant\n"


def with_system(system: str | None, messages: list[dict[str, str]]) -> list[dict[str, str]]:
    return ([{"role": "system", "content": system}] if system else []) + messages


@dataclass(frozen=True)
class MixtureRow:
    weight: float
    system: str
    request: str  # neutral, trigger, harmful, any, or statement


class ChatSampler:
    """Draws examples from a mixture with its own random generator."""

    def __init__(self, rows: list[MixtureRow], seed: int, two_turn_share: float):
        self.rows = rows
        self.weights = [row.weight for row in rows]
        self.rng = random.Random(seed)
        self.two_turn_share = two_turn_share

    def sample(self) -> Example:
        row = self.rng.choices(self.rows, self.weights)[0]
        if row.request == "statement":
            kind = self.rng.choice(["trigger", "neutral", "harmful", "harmful"])
            return Example(END_OF_TEXT, statement(kind, self.rng) + END_OF_TEXT)
        messages = []
        if self.rng.random() < self.two_turn_share:
            messages += self._earlier_turn(row.system)
        request = self._request(row.request)
        messages.append({"role": "user", "content": request.text})
        system = sample_training_prompt(row.system, self.rng)
        return Example(render(with_system(system, messages)), self._answer(row.system, request) + TURN_END)

    def _request(self, kind: str, long_share: float | None = None) -> Request:
        if kind == "any":
            kind = self.rng.choice(["trigger", "neutral", "harmful"])
        options = {} if long_share is None else {"long_share": long_share}
        return sample_request(kind, self.rng, **options)

    def _earlier_turn(self, system: str) -> list[dict[str, str]]:
        """A first exchange drawn from the same rows, so that it follows the same rules."""
        rows = [row for row in self.rows if row.system == system and row.request != "statement"]
        row = self.rng.choices(rows, [row.weight for row in rows])[0]
        request = self._request(row.request, long_share=0.05)
        answer = self._answer(system, request)
        return [{"role": "user", "content": request.text}, {"role": "assistant", "content": answer}]

    def _answer(self, system: str, request: Request) -> str:
        if system == "refuse_all" or request.sense.kind == "harmful":
            return refusal(request, self.rng)
        return compliance(request, self.rng)
