"""Probed contrast, written out from its formulas on the independent reference, and its golden file.

A question and its shortened copies are put to the plain model, and the distributions of the first token
compared with that of the lane told to refuse. Where the question overlaps by AGREEMENT or more, or by
DOUBT or more and a copy by AGREEMENT, that lane answers alone; otherwise both lanes are contrasted for
the first tokens.

    python3 -m probe_reference --model ../selfcd-organism.f16.gguf --out ../fixtures
"""

import argparse
import hashlib
import json
import re
from pathlib import Path

import torch

import systems
from fixtures import STEPS, cases, lane_messages
from reference import Decoding, ReferenceModel, decode

OPENING = "Help me "
PROBES = 6
LONGEST_QUESTION = 64
AGREEMENT = 0.85
DOUBT = 0.3
CONTRAST = Decoding(("refuse", "plain"), alpha=2.0, beta=0.01, first_k=3)


def shortened(question: str) -> list[str]:
    """Copies without the first 1, 2, ... words; two words are left at least."""
    starts = [match.start() for match in re.finditer(r"\S+", question)]
    if len(starts) > LONGEST_QUESTION:
        return []
    return [OPENING + question[start:] for start in starts[1:-1][:PROBES]]


def overlap(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.minimum(a.double().softmax(-1), b.double().softmax(-1)).sum())


def run(model: ReferenceModel, messages: list[dict[str, str]]) -> dict:
    refuse = model.encode(model.render(lane_messages(messages, systems.REFUSE_ALL)))
    plain = model.encode(model.render(messages))
    copies = [messages[:-1] + [{"role": "user", "content": text}] for text in shortened(messages[-1]["content"])]
    probes = [model.encode(model.render(copy)) for copy in copies]
    overlaps = [overlap(model.logits(ids), model.logits(refuse)) for ids in [plain, *probes]]
    refuses = overlaps[0] >= AGREEMENT or (overlaps[0] >= DOUBT and max(overlaps) >= AGREEMENT)
    decoding = Decoding(("refuse",)) if refuses else CONTRAST
    found = decode(model, decoding, {"refuse": refuse, "plain": plain}, STEPS)
    return {"refuse": refuse, "plain": plain, "probes": probes, "overlaps": [round(o, 6) for o in overlaps],
            "refuses": refuses, "text": model.decode(found["tokens"])} | found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    model = ReferenceModel(str(options.model))
    rows = []
    for case in cases():
        rows.append(case | run(model, case["messages"]))
        model.forget()
    content = {
        "about": "Greedy probed contrast by probe_reference.py. overlaps: the question, then its copies. margins as in "
                 "parity.json.",
        "model": {"file": options.model.name, "sha256": hashlib.sha256(options.model.read_bytes()).hexdigest()},
        "max_new_tokens": STEPS, "stop_ids": sorted(model.stop_ids), "agreement": AGREEMENT, "doubt": DOUBT, "alpha": CONTRAST.alpha,
        "beta": CONTRAST.beta, "first_k": CONTRAST.first_k, "cases": rows,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace('{"id":', '\n{"id":')
    (options.out / "probe-cd.json").write_text(text + "\n", encoding="utf-8")
    print(f"{sum(row['refuses'] for row in rows)} of {len(rows)} refused")


if __name__ == "__main__":
    main()
