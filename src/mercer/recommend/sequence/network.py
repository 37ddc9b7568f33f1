"""The network in PyTorch: what an item is, and what a history makes of the next one. Training alone imports this.

`forward.py` says the same in NumPy and serves; a test holds both together. Sequences lie at the left, padding at the
right: looking back only, no event ever sees padding, so no other mask is needed.
Sources: Kang and McAuley, SASRec, ICDM 2018, with the norm before each part (Xiong et al., ICML 2020); gated residuals
of LiGR (Borisyuk et al., KDD 2025) on gated units (Shazeer, GLU variants, 2020); biases by distance and time gap as in
HSTU (Zhai et al., ICML 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mercer.recommend.sequence.content import Content
from mercer.recommend.sequence.events import EDGES, GAPS
from mercer.recommend.sequence.options import SequenceOptions
from mercer.training import dropout

_SMALL = 0.02
"""Standard deviation of embeddings at the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """n sequences of at most L events; int64, shape (n, L). item: a place in the item vectors at hand."""

    item: Tensor
    kind: Tensor
    gap: Tensor
    minute: Tensor


class Items(nn.Module):
    """Vectors of items: learned ID + text through a projection + an embedding for each code of content."""

    text: Tensor
    codes: Tensor
    cold: Tensor

    def __init__(self, content: Content, cold: Tensor, options: SequenceOptions) -> None:
        """cold: bool, shape (I,): items without an event, whose ID could not be learned."""
        super().__init__()
        n_items, width = len(cold), options.width
        self.id_dropout = options.id_dropout
        self.register_buffer("text", torch.from_numpy(content.text), persistent=False)
        self.register_buffer("codes", torch.from_numpy(content.codes), persistent=False)
        self.register_buffer("cold", cold, persistent=False)
        self.id, self.unknown = nn.Embedding(n_items, width), nn.Parameter(torch.zeros(width))
        self.project = nn.Linear(content.text.shape[1], width, bias=False) if content.text.shape[1] else None
        self.parts = nn.ModuleList(nn.Embedding(size, width) for size in content.sizes)
        for table in (self.id, *self.parts):
            nn.init.normal_(table.weight, std=_SMALL)

    def forward(self, items: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """float32, shape (m, d), of the items named. generator: given in training, IDs are dropped then.

        A cold item, and one whose ID is dropped, has the vector `unknown` for its ID: so that vector is learned as
        what an item is of which content alone tells. Where no ID is ever dropped, it stays 0.
        """
        gone = self.cold[items]
        if generator is not None and self.id_dropout:
            gone = gone | (torch.rand(len(items), generator=generator, device=items.device) < self.id_dropout)
        out = torch.where(gone[:, None], self.unknown, self.id(items))
        if self.project is not None:
            out = out + self.project(self.text[items])
        for column, table in enumerate(self.parts):
            out = out + table(self.codes[items, column])
        return out


class Network(nn.Module):
    """Item vectors and an encoder of histories; an item's logit is its vector's product with the state."""

    def __init__(
        self, content: Content, cold: Tensor, options: SequenceOptions, *, encoder: str, clock: bool
    ) -> None:
        """encoder: "sasrec" or "ligr". clock: whether times of events are known."""
        super().__init__()
        width = options.width
        self.dropout, self.scale = options.embedding_dropout, math.sqrt(width)
        self.items = Items(content, cold, options)
        gated = encoder == "ligr"
        self.kind = nn.Embedding(len(options.kinds), width) if gated and len(options.kinds) > 1 else None
        self.gap = nn.Embedding(GAPS, width) if gated and clock else None
        for table in (self.kind, self.gap):
            if table is not None:
                nn.init.normal_(table.weight, std=_SMALL)
        self.blocks = nn.ModuleList(Block(options, gated=gated, clock=clock) for _ in range(options.blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: Batch, vectors: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """States after each event, shape (n, L, d). vectors: of the items at hand, shape (m, d)."""
        hidden = vectors[batch.item] * self.scale
        if self.kind is not None:
            hidden = hidden + self.kind(batch.kind)
        if self.gap is not None:
            hidden = hidden + self.gap(batch.gap)
        hidden = dropped(hidden, self.dropout, generator)
        for block in self.blocks:
            hidden = block(hidden, batch.minute, generator)
        states: Tensor = self.norm(hidden)
        return states


class Block(nn.Module):
    """Attention to what came before, then two layers for each event by itself; each adds to what there was.

    Attention has a bias for the distance between two events, which says where they are.
    gated: both answers pass a gate that the event's own state sets, the second layer is a gated unit, and with a clock
    attention has a bias for the time between two events as well.
    """

    edges: Tensor

    def __init__(self, options: SequenceOptions, *, gated: bool, clock: bool) -> None:
        super().__init__()
        width, inner = options.width, int(options.width * options.inner)
        self.heads, self.dropout, self.gated = options.heads, options.dropout, gated
        self.attend_norm, self.think_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, (1 + gated) * inner), nn.Linear(inner, width)
        self.register_buffer("edges", torch.from_numpy(EDGES), persistent=False)
        self.by_distance = nn.Parameter(torch.zeros(options.heads, options.window))
        self.by_time = nn.Parameter(torch.zeros(options.heads, GAPS)) if gated and clock else None
        if gated:
            self.attend_gate, self.think_gate = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, hidden: Tensor, minute: Tensor, generator: torch.Generator | None) -> Tensor:
        """The block's output, same shape as `hidden`, (n, L, d)."""
        answer = dropped(self._attended(hidden, minute, generator), self.dropout, generator)
        hidden = hidden + (answer * torch.sigmoid(self.attend_gate(hidden)) if self.gated else answer)
        answer = dropped(self._thought(hidden, generator), self.dropout, generator)
        return hidden + (answer * torch.sigmoid(self.think_gate(hidden)) if self.gated else answer)

    def _attended(self, hidden: Tensor, minute: Tensor, generator: torch.Generator | None) -> Tensor:
        n, length, width = hidden.shape
        looks = self.look(self.attend_norm(hidden)).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = looks.permute(2, 0, 3, 1, 4)
        logits = query @ key.transpose(-1, -2) / math.sqrt(width // self.heads)
        place = torch.arange(length, device=hidden.device)
        distance = place[:, None] - place
        logits = logits + self.by_distance[:, distance.clamp(min=0)]
        if self.by_time is not None:
            apart = (minute[:, :, None] - minute[:, None]).clamp(min=0)
            size = torch.bucketize(apart, self.edges, right=True)
            logits = logits + self.by_time[:, size].transpose(0, 1)
        weights = logits.masked_fill(distance < 0, -math.inf).softmax(-1)
        seen = dropped(weights, self.dropout, generator) @ value
        mixed: Tensor = self.mix(seen.transpose(1, 2).reshape(n, length, width))
        return mixed

    def _thought(self, hidden: Tensor, generator: torch.Generator | None) -> Tensor:
        wide = self.widen(self.think_norm(hidden))
        if self.gated:
            wide, gate = wide.chunk(2, -1)
            wide = functional.silu(gate) * wide
        else:
            wide = functional.silu(wide)
        narrow: Tensor = self.narrow(dropped(wide, self.dropout, generator))
        return narrow


def dropped(x: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """Dropout in training alone. generator: None leaves `x` as it is."""
    return x if generator is None else dropout.dropped(x, share, generator)
