"""What a decoder has read, kept: keys and values of its layers, to go on from there more than once.

Kept here rather than in Transformers' cache, which forgets what lies outside a sliding window, grows in place and
changes its methods between versions. One forward step through the layers, without the head, is here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from mercer.language.decoders.decoder import Decoder

HEAD_ROWS = 256
"""Positions whose scores over the vocabulary are held at once: 50 MB at 49,152 tokens."""


@dataclass(frozen=True, slots=True)
class States:
    """Keys and values of the tokens read, shape (rows, heads, length, width), one pair a layer.

    lengths: tokens of each row, shape (rows,). Rows shorter than the tensors are filled up on the right.
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    lengths: tuple[int, ...]

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
            shaped = tuple(
                (key[:, :, :longest].index_select(0, index), value[:, :, :longest].index_select(0, index))
                for key, value in self.layers
            )
        return States(shaped, lengths)

    def cut(self, length: int) -> States:
        """Only the first tokens of each row."""
        shaped = tuple((key[:, :, :length], value[:, :, :length]) for key, value in self.layers)
        return States(shaped, tuple(min(length, own) for own in self.lengths))

    def _to_the_right(self) -> States:
        """The same with shorter rows filled up on the left, so that what follows stands next to them."""
        import torch

        longest = self.longest
        example = self.layers[0][0]
        shift = torch.tensor([longest - own for own in self.lengths], device=example.device)
        index = (torch.arange(longest, device=example.device)[None, :] - shift[:, None]).clamp(min=0)
        index = index[:, None, :, None].expand(-1, example.shape[1], -1, example.shape[3])
        shaped = tuple((key.gather(2, index), value.gather(2, index)) for key, value in self.layers)
        return States(shaped, self.lengths)


def read(
    decoder: Decoder, tokens: list[list[int]], before: States | None = None, *, keep: bool = True
) -> tuple[torch.Tensor, States | None]:
    """Let the model read tokens, one list a row, after what `before` holds for that row.

    Returns the last layer's output, shape (rows, longest list, width), where rows shorter than the longest end in
    numbers without meaning, and, with keep, the states with the new tokens. Rows of `before` with unequal lengths
    can't be kept.
    """
    import torch
    from transformers import DynamicCache

    device = decoder.model.device
    longest = max(map(len, tokens))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens], device=device)
    cache = DynamicCache()
    read_before = [0] * len(tokens) if before is None else list(before.lengths)
    mask = None
    if before is not None:
        even = len(set(before.lengths)) == 1
        for number, (key, value) in enumerate((before if even else before._to_the_right()).layers):
            cache.update(key, value, number)
        if not even:
            mask = torch.ones((len(tokens), before.longest + longest), dtype=torch.long, device=device)
            for row, length in enumerate(before.lengths):
                mask[row, : before.longest - length] = 0
    start = torch.tensor(read_before, device=device)[:, None]
    # A filled-up row may run over the window; its positions there have no meaning but must exist.
    positions = (start + torch.arange(longest, device=device)).clamp(max=decoder.window - 1)
    with torch.inference_mode():
        hidden: torch.Tensor = _layers(decoder.model)(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        ).last_hidden_state
    if not keep:
        return hidden, None
    lengths = tuple(old + len(row) for old, row in zip(read_before, tokens, strict=True))
    return hidden, States(tuple((layer.keys, layer.values) for layer in cache.layers), lengths)


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


def _repeat(tensor: torch.Tensor, times: int) -> torch.Tensor:
    return tensor.expand(times, -1, -1, -1)


def _layers(model: Any) -> Any:
    """The network below the head."""
    return getattr(model, model.base_model_prefix)


def _head(model: Any) -> Any:
    return model.get_output_embeddings()
