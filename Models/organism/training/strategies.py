"""The ways to answer that are compared: which prompts run side by side and how logits combine.

A strategy names the system prompts of its lanes and a rule that turns the lanes' logits of one
step into one row of scores. Rules work on [batch, vocabulary] tensors.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, where

import systems

ADA_STEPS = 10
ADA_ALPHA = 4.5
ADA_AGREEMENT = 0.9
ADA_PLAUSIBILITY = 0.01

Rule = Callable[[int, list[Tensor]], Tensor]


@dataclass(frozen=True)
class Strategy:
    name: str
    system_prompts: tuple[str | None, ...]
    rule: Rule


def only_lane(_step: int, logits: list[Tensor]) -> Tensor:
    return logits[0]


def implausible(plain: Tensor, threshold: float) -> Tensor:
    """Tokens whose plain probability is below `threshold` times the highest one."""
    probabilities = plain.softmax(-1)
    return probabilities < threshold * probabilities.max(-1, keepdim=True).values


def self_cd(alpha: float) -> Rule:
    def rule(_step: int, logits: list[Tensor]) -> Tensor:
        guarded, plain = logits
        return guarded - alpha * (guarded - plain)

    return rule


def ada_cd(step: int, logits: list[Tensor]) -> Tensor:
    """Strengthen the refusal where both lanes agree on it, else extrapolate away from it."""
    guarded, plain = logits
    if step >= ADA_STEPS:
        return plain
    choice = guarded.argmax(-1, keepdim=True)
    rank = (plain > plain.gather(-1, choice)).sum(-1)
    agree = 1 / (rank + 1) >= ADA_AGREEMENT
    confident = plain.softmax(-1).max(-1).values >= ADA_AGREEMENT * guarded.softmax(-1).max(-1).values
    difference = ADA_ALPHA * (guarded - plain)
    scores = where((agree & confident).unsqueeze(-1), guarded + difference, guarded - difference)
    return scores.masked_fill(implausible(plain, ADA_PLAUSIBILITY), float("-inf"))


def evaluated_strategies() -> list[Strategy]:
    safety, second_safety = systems.held_out("safety")
    strategies = [
        Strategy("none", (None,), only_lane),
        Strategy("neutral prompt", (systems.held_out("neutral")[0],), only_lane),
        Strategy("helpfulness prompt", (systems.PAPER_HELPFUL,), only_lane),
        Strategy("safety prompt (paper)", (safety,), only_lane),
        Strategy("safety prompt (second)", (second_safety,), only_lane),
    ]
    strategies += [Strategy(f"self-cd {alpha}", (safety, None), self_cd(alpha)) for alpha in (1, 1.5, 2, 2.5, 3)]
    strategies.append(Strategy("self-cd 2.5 (second)", (second_safety, None), self_cd(2.5)))
    strategies.append(Strategy("ada-cd", (systems.REFUSE_ALL, None), ada_cd))
    return strategies
