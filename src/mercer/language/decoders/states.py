"""What a decoder has read, kept: keys and values of its layers, to go on from there more than once.

Kept here rather than in Transformers' cache, which forgets what lies outside a sliding window, grows in place and
changes its methods between versions. One forward step through the layers, without the head, is here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from mercer.language.decoders.decoder import Decoder

HEAD_ROWS = 256
"""Positions whose scores over the vocabulary are held at once: 50 MB at 49,152 tokens."""

FEW = 4
"""A part of the vocabulary as small as one in so many is gathered; a larger one costs more than the whole."""


@dataclass(frozen=True, slots=True)
class States:
    """Keys and values of the tokens read, shape (rows, heads, length, width), one pair a layer.

    lengths: tokens of each row, shape (rows,). Rows shorter than the tensors are filled up on the right, or on the
    left where `at_right`.
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    lengths: tuple[int, ...]
    at_right: bool = False

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.lengths)

    def rows(self, chosen: list[int]) -> States:
        """The chosen rows, in this order and as often as named, cut to the longest of them."""
        import torch

        lengths = tuple(self.lengths[row] for row in chosen)
        longest = max(lengths)
        if len(self.lengths) == 1:
            shaped = tuple(
                (_repeat(key, len(chosen)), _repeat(value, len(chosen))) for key, value in self.layers
            )
        else:
            index = torch.tensor(chosen, device=self.layers[0][0].device)
            part = slice(-longest, None) if self.at_right else slice(longest)
            shaped = tuple(
                (key[:, :, part].index_select(0, index), value[:, :, part].index_select(0, index))
                for key, value in self.layers
            )
        return States(shaped, lengths, self.at_right)

    def cut(self, length: int) -> States:
        """Only the first tokens of each row, where rows are filled up on the right."""
        shaped = tuple((key[:, :, :length], value[:, :, :length]) for key, value in self.layers)
        return States(shaped, tuple(min(length, own) for own in self.lengths))

    @property
    def is_even(self) -> bool:
        """Whether all rows have the same length."""
        return len(set(self.lengths)) == 1

    def to_the_right(self) -> States:
        """The same with shorter rows filled up on the left, so that what follows stands next to them."""
        import torch

        if self.is_even or self.at_right:
            return self
        longest = self.longest
        example = self.layers[0][0]
        shift = torch.tensor([longest - own for own in self.lengths], device=example.device)
        index = (torch.arange(longest, device=example.device)[None, :] - shift[:, None]).clamp(min=0)
        index = index[:, None, :, None].expand(-1, example.shape[1], -1, example.shape[3])
        shaped = tuple((key.gather(2, index), value.gather(2, index)) for key, value in self.layers)
        return States(shaped, self.lengths, at_right=True)


def read(
    decoder: Decoder, tokens: list[list[int]], before: States | None = None, *, keep: bool = True
) -> tuple[torch.Tensor, States | None]:
    """Let the model read tokens, one list a row, after what `before` holds for that row.

    Returns the last layer's output, shape (rows, longest list, width), where rows shorter than the longest end in
    numbers without meaning, and, with keep, the states with the new tokens. To keep them after rows of unequal
    lengths, each must read as many tokens.
    """
    import torch
    from transformers import DynamicCache

    device = decoder.model.device
    longest = max(map(len, tokens))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens], device=device)
    cache: Any = DynamicCache()
    before = None if before is None else before.to_the_right()
    lengths = (0,) * len(tokens) if before is None else before.lengths
    for number, (key, value) in enumerate(() if before is None else before.layers):
        cache.update(key, value, number)
    start = torch.tensor(lengths, device=device)[:, None]
    # A filled-up row may run over the window; its positions there have no meaning but must exist.
    positions = (start + torch.arange(longest, device=device)).clamp(max=decoder.window - 1)
    with torch.inference_mode():
        hidden: torch.Tensor = _layers(decoder.model)(
            input_ids=ids,
            attention_mask=None if before is None else _mask(before, longest),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
    if not keep:
        return hidden, None
    at_right = before is not None and before.at_right
    assert not at_right or len(set(map(len, tokens))) == 1, "rows filled up on both sides"
    grown = tuple(old + len(row) for old, row in zip(lengths, tokens, strict=True))
    return hidden, States(tuple((layer.keys, layer.values) for layer in cache.layers), grown, at_right)


def _mask(before: States, new: int) -> torch.Tensor | None:
    """Which tokens are real, shape (rows, read before and new); None where all are."""
    import torch

    if before.is_even:
        return None
    mask = torch.ones((len(before.lengths), before.longest + new), dtype=torch.long)
    for row, length in enumerate(before.lengths):
        mask[row, : before.longest - length] = 0
    return mask.to(before.layers[0][0].device)


def log_probabilities(decoder: Decoder, hidden: torch.Tensor) -> torch.Tensor:
    """Natural logarithms over the vocabulary in fp32, shape (n, vocabulary), from outputs, shape (n, width)."""
    import torch

    with torch.inference_mode():
        return torch.log_softmax(_head(decoder.model)(hidden).float(), dim=-1)


def chosen_log_probabilities(decoder: Decoder, hidden: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The logarithm for one token each, shape (n,), from outputs, shape (n, width), a few rows at a time."""
    import torch

    parts = []
    with torch.inference_mode():
        for begin in range(0, len(tokens), HEAD_ROWS):
            scores = _head(decoder.model)(hidden[begin : begin + HEAD_ROWS]).float()
            wanted = scores.gather(1, tokens[begin : begin + HEAD_ROWS, None])[:, 0]
            parts.append(wanted - torch.logsumexp(scores, dim=-1))
    return torch.cat(parts)


def scores_of(
    decoder: Decoder, hidden: torch.Tensor, tokens: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Scores of some tokens from one output, shape (width,); the head is computed for few tokens alone."""
    import torch

    head = _head(decoder.model)
    with torch.inference_mode():
        index = torch.from_numpy(tokens.astype(np.int64)).to(hidden.device)
        if len(tokens) * FEW < head.weight.shape[0] and getattr(head, "bias", None) is None:
            scores = head.weight[index] @ hidden
        else:
            scores = head(hidden)[index]
    found: npt.NDArray[np.float64] = scores.double().cpu().numpy()
    return found


def scores_of_all(decoder: Decoder, hidden: torch.Tensor) -> npt.NDArray[np.float64]:
    """Scores over the vocabulary, shape (n, vocabulary), from outputs, shape (n, width)."""
    import torch

    with torch.inference_mode():
        found: npt.NDArray[np.float64] = _head(decoder.model)(hidden).double().cpu().numpy()
    return found


def _repeat(tensor: torch.Tensor, times: int) -> torch.Tensor:
    return tensor.expand(times, -1, -1, -1)


def _layers(model: Any) -> Any:
    """The network below the head."""
    return getattr(model, model.base_model_prefix)


def _head(model: Any) -> Any:
    return model.get_output_embeddings()
