"""Train the byte-level BPE tokenizer on generated text.

All 256 bytes are in the alphabet, so any text can be encoded, if not well.

    python3 -m train_tokenizer --out tokenizer.json
"""

import argparse
import random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from answer_text import compliance, refusal, statement
from chats import SPECIAL_TOKENS
from request_text import sample_request
from systems import training_prompts

VOCABULARY = 2048
SEED = 1


def corpus(count: int = 30_000) -> list[str]:
    rng = random.Random(SEED)
    texts = []
    for index in range(count):
        kind = rng.choice(["trigger", "neutral", "harmful"])
        request = sample_request(kind, rng, long_share=0.05)
        answer = refusal(request, rng) if kind == "harmful" else compliance(request, rng)
        texts += [request.text, answer]
        if index % 20 == 0:
            texts.append(statement(kind, rng))
    for system in ("neutral", "helpful", "safety", "refuse_all"):
        texts += list(training_prompts(system)) * (2400 // len(training_prompts(system)))
    return texts + ["system\n", "user\n", "assistant\n"] * 500


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    train().save(parser.parse_args().out)
