"""The published algorithm with one kindness: logits are computed for the last position only.

Still no key-value cache: both whole sequences pass through all layers for every token.
"""

import torch
from transformers import PreTrainedModel

import common


def generate(model: PreTrainedModel, guarded: torch.Tensor, plain: torch.Tensor, count: int) -> list[int]:
    tokens = []
    for _ in range(count):
        rows = [model(ids, use_cache=False, logits_to_keep=1).logits[0, -1] for ids in (guarded, plain)]
        token = common.combined(*rows).argmax().view(1, 1)
        guarded, plain = torch.cat([guarded, token], dim=1), torch.cat([plain, token], dim=1)
        tokens.append(int(token))
    return tokens


if __name__ == "__main__":
    common.main("published, last row", __doc__, generate)
