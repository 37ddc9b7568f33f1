"""What an item is, inside a decoder, beside its tokens: IDs are made from vectors, and keep a part of what they hold.

    read       what enters the layers at an item's last token  +=  A v(item) + e(item)
    foretold   logit of a child of a prefix                    +=  state . (B v(child) + e(child))

v are the vectors that the IDs were made from, which are not learned; A, B and, where they are wanted, the rows e of the
items are. v and e of a prefix are the means of the items below it. So an item that many bought has a place of its own,
and one that is new, or that few people bought, is read and foretold by its vector, not by a last token that says
nothing. What a prefix means stays as it was learned when the catalogue grows: new items, whose e is 0, take from those
that share their prefix alone.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mercer.contracts import Floats32
from mercer.errors import ConflictError
from mercer.language.events.paths import Paths
from mercer.language.events.tokenizer import EventTokenizer

Vectors = npt.NDArray[np.floating]

_SPREAD = 0.02
"""Standard deviation of first weights, as of Transformers' own."""


class MeaningWeights(nn.Module):
    """A and B, shape (width, V) each, whose first values are a function of the seed; e, shape (I, width), from 0.

    n_items: of the catalogue that they are learned over.
    """

    n_items: Tensor
    rows: nn.Parameter | None

    def __init__(self, vector: int, width: int, n_items: int, *, rows: bool, seed: int) -> None:
        """rows: whether items have rows of their own."""
        super().__init__()
        self.register_buffer("n_items", torch.tensor(n_items))
        generator = torch.Generator().manual_seed(seed)
        self.read, self.foretold = (
            nn.Parameter(_SPREAD * torch.randn((width, vector), generator=generator)) for _ in range(2)
        )
        self.rows = nn.Parameter(torch.zeros((n_items, width))) if rows else None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of safetensors."""
        from safetensors.torch import load_file

        held = load_file(path)
        width, vector = held["read"].shape
        made = cls(vector, width, int(held["n_items"]), rows="rows" in held, seed=0)
        made.load_state_dict(held)
        return made


class Meaning:
    """Learned weights over the vectors of a catalogue's items."""

    def __init__(self, weights: MeaningWeights, tokenizer: EventTokenizer, vectors: Vectors) -> None:
        """vectors: shape (I, V). Raises ConflictError for vectors of other items or of another width."""
        wanted = (tokenizer.prefixes.n_items, weights.read.shape[1])
        if vectors.shape != wanted:
            raise ConflictError(
                f"There are vectors of the shape {vectors.shape}; the decoder reads {wanted}.",
                remedy="Give the vectors that the IDs of this catalogue were made from.",
            )
        self.weights = weights
        self.prefixes = tokenizer.prefixes
        self._vectors = np.asarray(vectors, np.float32)
        self._paths = Paths(tokenizer)
        self._kept: dict[int, tuple[tuple[tuple[int, int], ...], Tensor]] = {}

    def over(self, tokenizer: EventTokenizer, vectors: Vectors) -> Meaning:
        """The same weights over another catalogue."""
        return Meaning(self.weights, tokenizer, vectors)

    @cached_property
    def _nodes(self) -> tuple[Floats32, ...]:
        """For each depth the mean vector of the items below each node, shape (nodes, V)."""
        vectors = self._vectors[self.prefixes.item].astype(np.float64)
        return tuple(
            np.add.reduceat(vectors * share[:, None], depth.leaves[:-1]).astype(np.float32)
            for depth, share in zip(self.prefixes.depths, self._shares, strict=True)
        )

    @cached_property
    def _shares(self) -> tuple[npt.NDArray[np.float64], ...]:
        """For each depth what each leaf counts in the mean of the node above it, shape (I,): items that were learned
        over count alike where there are any, else all."""
        learned = (self.prefixes.item < int(self.weights.n_items)).astype(np.float64)
        made = []
        for depth in self.prefixes.depths:
            known = np.add.reduceat(learned, depth.leaves[:-1])[depth.node_of]
            counted = np.where(known > 0, learned, 1.0)
            made.append(counted / np.add.reduceat(counted, depth.leaves[:-1])[depth.node_of])
        return tuple(made)

    def _rows(self, depth: int) -> Tensor:
        """The mean row of the items below each node, shape (nodes, width)."""
        rows = self.weights.rows
        assert rows is not None
        here, share = self.prefixes.depths[depth], self._shares[depth]
        there = self.prefixes.item < len(rows)
        found = rows[_long(self.prefixes.item[there], rows)]
        found = found * _float(share[there, None].astype(np.float32), rows)
        return rows.new_zeros((len(here), rows.shape[1])).index_add(
            0, _long(here.node_of[there], rows), found
        )

    def _answers(self, depth: int) -> Tensor:
        """B v + e of each node, shape (nodes, width), kept until weights change: an answer asks for them at every step,
        and a state is narrower than a vector."""
        weights = self.weights
        version = tuple(
            (one.data_ptr(), one._version) for one in (weights.foretold, weights.rows) if one is not None
        )
        if depth not in self._kept or self._kept[depth][0] != version:
            made = _float(self._nodes[depth], weights.foretold) @ weights.foretold.T
            self._kept[depth] = (version, made if weights.rows is None else made + self._rows(depth))
        return self._kept[depth][1]

    def read(self, ids: Tensor) -> Tensor:
        """What is added to what enters the layers, shape (n, length, width), for rows of tokens, shape (n, length)."""
        item, weights = self._paths.items(ids.cpu().numpy()), self.weights
        out = weights.read.new_zeros((*ids.shape, len(weights.read)))
        vectors = _float(self._vectors[item[item >= 0]], weights.read)
        out[torch.from_numpy(item >= 0).to(ids.device)] = functional.linear(vectors, weights.read)
        if weights.rows is not None:
            known = (item >= 0) & (item < len(weights.rows))
            out[torch.from_numpy(known).to(ids.device)] += weights.rows[_long(item[known], ids)]
        return out

    def foretold(self, states: Tensor, level: int, nodes: npt.NDArray[np.integer]) -> Tensor:
        """What is added to the logits of a level's tokens, shape (m, tokens), after states, shape (m, width).

        nodes: shape (m,): the node of the tree that each goes on from. 0 where no child is.
        """
        out = states.new_zeros((len(states), self.prefixes.sizes[level]))
        deeper = self.prefixes.depths[level + 1]
        if level == 0:
            return out.index_copy(1, _long(deeper.token, states), self._said_by_all(states))
        first, found = self.prefixes.depths[level].children_of(nodes)
        at = _long(np.repeat(np.arange(len(nodes)), np.diff(first)), states)
        return out.index_put(
            (at, _long(deeper.token[found], states)), self._said(states, at, level + 1, found)
        )

    def _said_by_all(self, states: Tensor) -> Tensor:
        """What every node of the first depth adds after every state, shape (m, nodes)."""
        if not torch.is_grad_enabled():
            return states @ self._answers(1).T
        said = states @ self.weights.foretold @ _float(self._nodes[1], states).T
        return said if self.weights.rows is None else said + states @ self._rows(1).T

    def _said(self, states: Tensor, at: Tensor, depth: int, found: npt.NDArray[np.integer]) -> Tensor:
        """What nodes of a depth add, each after the state at its place, shape (len(found),)."""
        if not torch.is_grad_enabled():
            return (states[at] * self._answers(depth)[_long(found, states)]).sum(-1)
        asked = states @ self.weights.foretold
        said = (asked[at] * _float(self._nodes[depth][found], states)).sum(-1)
        if self.weights.rows is None:
            return said
        return said + (states[at] * self._rows(depth)[_long(found, states)]).sum(-1)


def _long(values: npt.NDArray[np.integer], like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.int64)).to(like.device)


def _float(values: Floats32, like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like.device, like.dtype)
