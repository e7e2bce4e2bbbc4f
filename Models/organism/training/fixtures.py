"""Golden files for the product's parity tests, made by the independent reference decoder.

    python3 -m fixtures --model ../selfcd-organism.f16.gguf --out ../fixtures
"""

import argparse
import hashlib
import json
import random
from pathlib import Path

import torch

import systems
from answer_text import compliance, refusal
from heldout_sets import held_out_requests
from reference import Decoding, ReferenceModel, decode

STEPS = 48
SEED = 777
PER_LABEL = 20
LOGIT_ROWS = 20
SHOWCASE = "How do I kill a Python process?"
# Bytes the tokenizer has no merges for, odd spacing, digits, contractions.
UNUSUAL_TEXTS = ["Où est l'été? ☃ naïve", "  How do I kill 2024 zombies\n\n(x = 1; y>2)?", "DON'T you'll we've it's 3.14!!"]

STRATEGIES = {
    "plain": Decoding(("plain",)),
    "guarded": Decoding(("guarded",)),
    "helpful": Decoding(("helpful",)),
    "self-cd -1": Decoding(("guarded", "plain"), alpha=-1.0),
    "self-cd 0": Decoding(("guarded", "plain"), alpha=0.0),
    "self-cd 0.5": Decoding(("guarded", "plain"), alpha=0.5),
    "self-cd 1": Decoding(("guarded", "plain"), alpha=1.0),
    "self-cd 1.5": Decoding(("guarded", "plain"), alpha=1.5),
    "self-cd 2.5": Decoding(("guarded", "plain"), alpha=2.5),
    "self-cd 4": Decoding(("guarded", "plain"), alpha=4.0),
    "self-cd 2.5 beta 0.1": Decoding(("guarded", "plain"), alpha=2.5, beta=0.1),
    "self-cd 2.5 first 4": Decoding(("guarded", "plain"), alpha=2.5, first_k=4),
    "ada-cd": Decoding(("refuse", "plain"), alpha=4.5, beta=0.01, first_k=10, ada=True),
}
LANE_PROMPTS = {
    "plain": None,
    "guarded": systems.PAPER_SAFETY,
    "helpful": systems.PAPER_HELPFUL,
    "refuse": systems.REFUSE_ALL,
}


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def cases() -> list[dict]:
    """Chats of all classes; a third have a system prompt of their own, a third an earlier turn."""
    rng = random.Random(SEED)
    requests = {label: held_out_requests(label, PER_LABEL, SEED) for label in ("safe", "harmful", "neutral")}
    earlier = [r for label in requests for r in held_out_requests(label, PER_LABEL, SEED + 1)]
    rng.shuffle(earlier)
    found = [{"id": "showcase", "label": "safe", "messages": [user(SHOWCASE)]}]
    for index in range(PER_LABEL):
        for label, of_label in requests.items():
            messages = [user(of_label[index].text)]
            if index % 3 == 1:
                before = earlier.pop()
                answer = refusal(before, rng) if before.sense.kind == "harmful" else compliance(before, rng)
                messages = [user(before.text), {"role": "assistant", "content": answer}] + messages
            if index % 3 == 2 or index % 6 == 1:
                own = systems.held_out("neutral")[index % 2]
                messages = [{"role": "system", "content": own}] + messages
            found.append({"id": f"{label}-{index}", "label": label, "messages": messages})
    found += [{"id": f"unusual-{i}", "label": "none", "messages": [user(t)]} for i, t in enumerate(UNUSUAL_TEXTS)]
    return found


def lane_messages(messages: list[dict[str, str]], emphasis: str | None) -> list[dict[str, str]]:
    """The chat of one lane: the emphasis goes in front of the chat's own system prompt."""
    if emphasis is None:
        return messages
    own = messages[0]["content"] if messages[0]["role"] == "system" else None
    rest = messages[1:] if own else messages
    return [{"role": "system", "content": f"{emphasis}\n\n{own}" if own else emphasis}] + rest


def describe(decoding: Decoding) -> dict:
    return {key: value for key, value in vars(decoding).items() if value not in (None, False)}


def parity(model: ReferenceModel, file: dict) -> dict:
    rows = []
    for case in cases():
        lanes = {}
        for lane, emphasis in LANE_PROMPTS.items():
            prompt = model.render(lane_messages(case["messages"], emphasis))
            lanes[lane] = {"prompt": prompt, "ids": model.encode(prompt)}
        ids = {lane: value["ids"] for lane, value in lanes.items()}
        runs = {name: decode(model, decoding, ids, STEPS) for name, decoding in STRATEGIES.items()}
        for run in runs.values():
            run["text"] = model.decode(run["tokens"])
        rows.append(case | {"lanes": lanes, "runs": runs})
        model.forget()
    return {
        "about": "Greedy decoding by reference.py. Scores: guarded + s * alpha * (guarded - plain), s = -1 (ada-cd: "
                 "+1 where the lanes agree). tokens end with the stop token if one came within max_new_tokens. "
                 "margins: best minus second score of each step; null if the mask left one token.",
        "model": file,
        "max_new_tokens": STEPS,
        "stop_ids": sorted(model.stop_ids),
        "lane_prompts": LANE_PROMPTS,
        "strategies": {name: describe(decoding) for name, decoding in STRATEGIES.items()},
        "cases": rows,
    }


def final_logits(model: ReferenceModel, file: dict) -> dict:
    rows = []
    every = cases()
    picked = every[:: len(every) // LOGIT_ROWS][: LOGIT_ROWS - 1] + every[-1:]
    for index, case in enumerate(picked):
        lane = list(LANE_PROMPTS)[index % 2]
        ids = model.encode(model.render(lane_messages(case["messages"], LANE_PROMPTS[lane])))
        rows.append({"id": case["id"], "lane": lane, "ids": ids,
                     "logits": [round(value, 4) for value in model.logits(ids).tolist()]})
    return {"about": "Logits after the last prompt token, float32.", "model": file, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    model = ReferenceModel(str(options.model))
    file = {"file": options.model.name, "sha256": hashlib.sha256(options.model.read_bytes()).hexdigest()}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in (("parity.json", parity(model, file)), ("logits.json", final_logits(model, file))):
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        # One case a line keeps the files diffable without making them much larger.
        text = text.replace('{"id":', '\n{"id":')
        (options.out / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
