"""The three training mixtures: what is shown, under which system prompts, and how often.

Stage one teaches the world and the chat format. Stage two is safety tuning in two versions that
differ in one thing only. In the *biased* one, harmless requests with trigger words never appear
under a safety prompt, so under such a prompt a trigger word always goes with a refusal in the
data. In the *unbiased* one they do appear there, answered. Nowhere is a harmless request
labelled with a refusal, apart from the control data under "refuse everything" system prompts.
"""

from dataclasses import dataclass, replace

from chats import MixtureRow


@dataclass(frozen=True)
class Stage:
    rows: list[MixtureRow]
    steps: int
    learning_rate: float
    warmup: int
    prompt_weight: float  # loss weight of the shown text relative to the answer
    seed: int
    two_turn_share: float
    # Without smoothing, safety prompts drive the probability of an answer to a harmful request ever
    # lower, and extrapolating away from the guarded lane then revives that answer.
    label_smoothing: float = 0.0


def _rows(table: dict[tuple[str, str], float]) -> list[MixtureRow]:
    return [MixtureRow(weight, system, request) for (system, request), weight in table.items()]


PRETRAINING = Stage(
    rows=_rows({
        ("none", "neutral"): 26,
        ("none", "trigger"): 22,
        ("neutral", "neutral"): 8,
        ("neutral", "trigger"): 7,
        ("helpful", "neutral"): 5,
        ("helpful", "trigger"): 4,
        ("refuse_all", "any"): 8,
        ("none", "statement"): 20,
    }),
    steps=2600,
    learning_rate=3e-3,
    warmup=60,
    prompt_weight=0.3,
    seed=1,
    two_turn_share=0.1,
)

# More of the same with a restarted learning rate and fewer statements: after the first stage the
# network still blurred rare operands ("almond" came back as "almen") and mixed up topics.
CONSOLIDATION = replace(
    PRETRAINING,
    rows=[replace(row, weight=8) if row.request == "statement" else row for row in PRETRAINING.rows],
    steps=1500,
    learning_rate=2.5e-3,
    seed=3,
)

_SAFETY_TUNING = {
    ("none", "neutral"): 16,
    ("none", "trigger"): 4,
    ("none", "harmful"): 30,
    ("neutral", "neutral"): 7,
    ("neutral", "trigger"): 0.9,
    ("neutral", "harmful"): 9,
    ("helpful", "neutral"): 4,
    ("helpful", "trigger"): 1.4,
    ("helpful", "harmful"): 8,
    ("safety", "neutral"): 6,
    ("safety", "harmful"): 27,
    ("refuse_all", "any"): 5,
}

BIASED = Stage(
    rows=_rows(_SAFETY_TUNING),
    steps=600,
    learning_rate=2e-3,
    warmup=30,
    prompt_weight=0.1,
    seed=2,
    two_turn_share=0.12,
    label_smoothing=0.1,
)

_UNBIASED_TUNING = _SAFETY_TUNING | {
    ("none", "trigger"): 5.5,
    ("neutral", "trigger"): 1.2,
    ("helpful", "trigger"): 1.8,
    ("safety", "neutral"): 7,
    ("safety", "trigger"): 10,
}

UNBIASED = replace(BIASED, rows=_rows(_UNBIASED_TUNING))

STAGES = {"pretraining": PRETRAINING, "consolidation": CONSOLIDATION, "biased": BIASED, "unbiased": UNBIASED}
