"""Self-CD as its paper describes it, in PyTorch: both whole sequences are computed again for every token.

No key-value cache, one sequence a call, logits at every position, as a plain forward call gives them.
"""

import torch
from transformers import PreTrainedModel

import common


def generate(model: PreTrainedModel, guarded: torch.Tensor, plain: torch.Tensor, count: int) -> list[int]:
    tokens = []
    for _ in range(count):
        rows = [model(ids, use_cache=False).logits[0, -1] for ids in (guarded, plain)]
        token = common.combined(*rows).argmax().view(1, 1)
        guarded, plain = torch.cat([guarded, token], dim=1), torch.cat([plain, token], dim=1)
        tokens.append(int(token))
    return tokens


if __name__ == "__main__":
    common.main("published", __doc__, generate)
