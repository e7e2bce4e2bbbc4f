"""Several chats in one row of tokens: a system prompt is computed once for all its chats.

A mask lets a token see the system prompt of its group and the earlier tokens of its own chat, and positions count as if
each chat stood alone, so the result is that of separate chats.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

import neighbors  # noqa: F401
from mixture import Group
from model import LanguageModel
from smollm2 import ChatTokenizer


@dataclass(frozen=True)
class Packed:
    ids: Tensor
    positions: Tensor
    visible: Tensor  # [time, time]
    # One entry a target: the position that predicts it, the token, and whether it is part of a refusal or a reply's first token.
    at: Tensor
    targets: Tensor
    is_refusal: Tensor
    is_first: Tensor


def pack(groups: tuple[Group, ...], tokenizer: ChatTokenizer, answers: dict[str, list[int]]) -> Packed:
    ids, positions, group_of, chat_of = [], [], [], []
    at, targets, is_refusal, is_first = [], [], [], []
    chat = 0
    for number, group in enumerate(groups):
        if not group.rows:
            continue
        system = tokenizer.system_turn(group.system)
        ids += system
        positions += range(len(system))
        group_of += [number] * len(system)
        chat_of += [0] * len(system)
        for row in group.rows:
            chat += 1
            turn = tokenizer.user_turn(row.request.text)
            if row.refusal is None:
                reply = answers[row.request.text]
            else:
                reply = [*tokenizer.encode(row.refusal), tokenizer.turn_end]
            # The last token predicts nothing.
            shown = turn + reply[:-1]
            start = len(ids) + len(turn) - 1
            at += range(start, start + len(reply))
            targets += reply
            is_refusal += [row.refusal is not None] * len(reply)
            is_first += [index == 0 for index in range(len(reply))]
            ids += shown
            positions += range(len(system), len(system) + len(shown))
            group_of += [number] * len(shown)
            chat_of += [chat] * len(shown)
    groups_row, chats_row = torch.tensor(group_of), torch.tensor(chat_of)
    same_chat = (chats_row[None] == 0) | (chats_row[:, None] == chats_row[None])
    visible = (groups_row[:, None] == groups_row[None]) & same_chat
    return Packed(
        torch.tensor(ids), torch.tensor(positions), visible.tril(), torch.tensor(at), torch.tensor(targets),
        torch.tensor(is_refusal), torch.tensor(is_first),
    )


def hidden_states(model: LanguageModel, packed: Packed) -> Tensor:
    """Final hidden states of a packed row, [time, width]."""
    cosines, sines = model.cosines[packed.positions], model.sines[packed.positions]
    group = model.shape.heads // model.shape.kv_heads
    hidden = model.embedding(packed.ids)[None]
    for block in model.blocks:
        queries, keys, values = block.project(hidden, cosines, sines)
        keys, values = keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1)
        attended = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=packed.visible)
        hidden = block.finish(hidden, attended)
    return model.output_norm(hidden)[0]
