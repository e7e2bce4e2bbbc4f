"""Let the base answer every harmless request of training: what it says greedily is what adapters learn to keep saying.

    SMOLLM2_GGUF=FILE python3 -m distill --out replies.json

So answers hold no text of others, and an adapter has no reason to drift. Takes some six minutes on a core; the file is not part of
the repository. A run that was stopped goes on where it was.
"""

import argparse
import json
from pathlib import Path

import torch

from dataset import requests
from lanes import replies
from smollm2 import load_base
from string_matcher import is_refusal

REPLY_TOKENS = 20
# Requests between two writes of the file.
CHUNK = 192


def harmless_prompts() -> list[str]:
    return list(dict.fromkeys(request.text for kind in ("trigger", "ordinary") for request in requests(kind)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    answers: dict[str, list[int]] = json.loads(options.out.read_text()) if options.out.exists() else {}
    asked = [prompt for prompt in harmless_prompts() if prompt not in answers]
    if asked:
        model, tokenizer = load_base()
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        for prompt, ids in zip(chunk, replies(model, tokenizer, [None], chunk, REPLY_TOKENS)):
            # A reply that was cut off gets no end; a shorter one ended by itself. The base's own refusals are marked by
            # an empty list and never trained on.
            ended = ids if len(ids) == REPLY_TOKENS else [*ids, tokenizer.turn_end]
            answers[prompt] = [] if is_refusal(tokenizer.decode(ids)) else ended
        options.out.write_text(json.dumps(answers), encoding="utf-8")
        print(f"{len(answers)} answered", flush=True)
    refused = sum(not ids for ids in answers.values())
    print(f"{len(answers)} harmless requests, of which the base refuses {refused}")


if __name__ == "__main__":
    main()
