"""What items' vectors say inside a decoder: IDs are made from them, and keep a part of what they hold.

    read       what enters the layers at an item's last token  +=  A v(item)
    foretold   logit of a child of a prefix                    +=  state . B v(child)

v of a prefix is the mean of the vectors of the items below it. A and B are learned, vectors are not: so a new item, or
one that few people bought, is read and foretold by what it is, and not by a last token that says nothing. What a prefix
means stays as it was learned when the catalogue grows: new items take from those that share their prefix alone.
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

from mercer.contracts import Floats32, gather
from mercer.errors import ConflictError
from mercer.language.events.paths import Paths
from mercer.language.events.tokenizer import EventTokenizer

Vectors = npt.NDArray[np.floating]

_SPREAD = 0.02
"""Standard deviation of first weights, as of Transformers' own."""


class MeaningWeights(nn.Module):
    """A and B, shape (width, V) each; their first values are a function of the seed. n_items: of the catalogue that
    they are learned over."""

    n_items: Tensor

    def __init__(self, vector: int, width: int, n_items: int, *, seed: int) -> None:
        super().__init__()
        self.register_buffer("n_items", torch.tensor(n_items))
        generator = torch.Generator().manual_seed(seed)
        self.read, self.foretold = (
            nn.Parameter(_SPREAD * torch.randn((width, vector), generator=generator)) for _ in range(2)
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of safetensors."""
        from safetensors.torch import load_file

        held = load_file(path)
        width, vector = held["read"].shape
        made = cls(vector, width, int(held["n_items"]), seed=0)
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

    def over(self, tokenizer: EventTokenizer, vectors: Vectors) -> Meaning:
        """The same weights over another catalogue."""
        return Meaning(self.weights, tokenizer, vectors)

    @cached_property
    def _nodes(self) -> tuple[Floats32, ...]:
        """For each depth the mean vector of the items below each node, shape (nodes, V): of those that were learned
        over where there are any, else of all."""
        item, made = self.prefixes.item, []
        vectors = self._vectors[item].astype(np.float64)
        learned = (item < int(self.weights.n_items)).astype(np.float64)
        for depth in self.prefixes.depths:
            counts = np.add.reduceat(learned, depth.leaves[:-1])
            counted = np.where(counts[depth.node_of] > 0, learned, 1.0)
            sums = np.add.reduceat(vectors * counted[:, None], depth.leaves[:-1])
            made.append((sums / np.add.reduceat(counted, depth.leaves[:-1])[:, None]).astype(np.float32))
        return tuple(made)

    def read(self, ids: Tensor) -> Tensor:
        """What is added to what enters the layers, shape (n, length, width), for rows of tokens, shape (n, length)."""
        item = self._paths.items(ids.cpu().numpy())
        out = self.weights.read.new_zeros((*ids.shape, len(self.weights.read)))
        there = torch.from_numpy(item >= 0).to(ids.device)
        vectors = torch.from_numpy(self._vectors[item[item >= 0]]).to(ids.device)
        out[there] = functional.linear(vectors, self.weights.read)
        return out

    def foretold(self, states: Tensor, level: int, nodes: npt.NDArray[np.integer]) -> Tensor:
        """What is added to the logits of a level's tokens, shape (m, tokens), after states, shape (m, width).

        nodes: shape (m,): the node of the tree that each goes on from. 0 where no child is.
        """
        out = states.new_zeros((len(states), self.prefixes.sizes[level]))
        asked = states @ self.weights.foretold
        deeper, vectors = self.prefixes.depths[level + 1], self._nodes[level + 1]
        if level == 0:
            return out.index_copy(1, _long(deeper.token, states), asked @ _float(vectors, states).T)
        first, child = gather(self.prefixes.depths[level].children.astype(np.int64), nodes.astype(np.int64))
        row = np.repeat(np.arange(len(nodes)), np.diff(first))
        said = (asked[_long(row, states)] * _float(vectors[child], states)).sum(-1)
        return out.index_put((_long(row, states), _long(deeper.token[child], states)), said)


def _long(values: npt.NDArray[np.integer], like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.int64)).to(like.device)


def _float(values: Floats32, like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like.device, like.dtype)
