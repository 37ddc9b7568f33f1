"""Prefixes: the paths of all items as a tree in flat arrays.

Items are sorted by path, so the items below a node lie next to each other, and so do its children. A depth is three
arrays and no pointers: where each node's items begin, where its children begin, and the token that leads to it. Whether
anything permitted is left below a node is then a difference of two running sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts import Ragged, gather
from mercer.errors import UsageError
from mercer.language.beams.permitted import Permitted

Int32s = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Depth:
    """The nodes at one depth, numbered in the order of their paths.

    token: int32, shape (nodes,): the token that leads from the parent to the node.
    children: int32, shape (nodes + 1,): node i's children are nodes `children[i]:children[i + 1]` of the next depth;
    empty at the last depth. leaves: int32, shape (nodes + 1,): node i's items are `item[leaves[i]:leaves[i + 1]]`.
    node_of: int32, shape (I,): the node above (or at) each leaf.
    """

    token: Int32s
    children: Int32s
    leaves: Int32s
    node_of: Int32s

    def __len__(self) -> int:
        return len(self.token)

    def children_of(self, nodes: npt.NDArray[np.integer]) -> tuple[Numbers, Numbers]:
        """Nodes of the next depth: those of nodes[i] are `child[first[i]:first[i + 1]]`; (first, child)."""
        return gather(self.children.astype(np.int64), nodes.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The tree of a catalogue.

    depths: T + 1 of them; depths[0] is the root alone, depths[T] holds one node an item.
    item: int32, shape (I,): the item at each leaf, in the order of paths. leaf: int32, shape (I,): where each item is.
    sizes: tokens there are at each position; T numbers.
    """

    depths: tuple[Depth, ...]
    item: Int32s
    leaf: Int32s
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, codes: Int32s, sizes: Sequence[int]) -> Prefixes:
        """The tree of the paths of I items.

        codes: int32, shape (I, T), row i the path of item i, each `0 <= codes[:, t] < sizes[t]`. A catalogue may be
        empty: nothing is found in it then.
        Raises UsageError for another shape, a token that is not there, and two items with one path.
        """
        codes = np.asarray(codes)
        sizes = tuple(int(size) for size in sizes)
        _check(codes, sizes)
        n, steps = codes.shape
        # lexsort takes the last key first; equal paths are refused below, so the order is one.
        item = np.lexsort(codes.T[::-1]).astype(np.int32)
        paths = codes[item].astype(np.int32)
        starts = np.zeros(n, bool)
        starts[:1] = True
        depths = [np.flatnonzero(starts)]
        tokens = [np.zeros(1, np.int32)]
        for step in range(steps):
            starts[1:] |= paths[1:, step] != paths[:-1, step]
            depths.append(np.flatnonzero(starts))
            tokens.append(paths[depths[-1], step])
        if not starts.all():
            second = int(np.flatnonzero(~starts)[0])
            raise UsageError(
                f"Items {item[second - 1]} and {item[second]} have the same path.",
                remedy="Add a last token that tells items with equal codes apart.",
            )
        leaf = np.empty(n, np.int32)
        leaf[item] = np.arange(n, dtype=np.int32)
        return cls(_linked(depths, tokens, n), item, leaf, sizes)

    @property
    def n_items(self) -> int:
        """Items in the catalogue."""
        return len(self.item)

    @property
    def steps(self) -> int:
        """Tokens of a path."""
        return len(self.sizes)

    def below(self, level: int, nodes: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """Items below each child of some nodes of a depth, int32, shape (m, tokens of the level); 0 where no child is.

        nodes: shape (m,), of depth `level`; column t is the child that token t leads to.
        """
        different, which = np.unique(nodes, return_inverse=True)
        first, child = self.depths[level].children_of(different)
        of = np.repeat(np.arange(len(different)), np.diff(first))
        deeper = self.depths[level + 1]
        out = np.zeros((len(different), self.sizes[level]), np.int32)
        out[of, deeper.token[child]] = deeper.leaves[child + 1] - deeper.leaves[child]
        found: npt.NDArray[np.int32] = out[which]
        return found

    def permitted(
        self,
        n: int,
        *,
        available: Bools | None = None,
        allow: Sequence[Ragged | None] = (),
        deny: Sequence[Ragged | None] = (),
        mask: Bools | None = None,
    ) -> Permitted:
        """What n requests may be answered with.

        available: bool, shape (I,), the same for all. allow: for each list of the sequence, row i names the items that
        request i may be answered with; all lists apply together. deny: what it may not. mask: bool, shape (n, I).
        None stands for a rule that forbids nothing; an empty row of allow forbids everything. Code -1 names no item.
        Nothing is worked out here; a block of requests at a time is, by the search.
        Raises UsageError for other shapes and for codes that are not items.
        """
        return Permitted(self, n, available, _given(allow), _given(deny), mask)


def _given(rules: Sequence[Ragged | None]) -> tuple[Ragged, ...]:
    return tuple(rule for rule in rules if rule is not None)


def _linked(starts: list[npt.NDArray[np.intp]], tokens: list[Int32s], n: int) -> tuple[Depth, ...]:
    """Depths from the first leaf of each node."""
    made = []
    for number, (first, token) in enumerate(zip(starts, tokens, strict=True)):
        leaves = np.append(first, n).astype(np.int32)
        below = starts[number + 1] if number + 1 < len(starts) else None
        children = np.zeros(0, np.int32) if below is None else np.searchsorted(below, leaves).astype(np.int32)
        node_of = np.repeat(np.arange(len(first), dtype=np.int32), np.diff(leaves))
        made.append(Depth(token[: len(first)], children, leaves, node_of))
    return tuple(made)


def _check(codes: npt.NDArray[np.int32], sizes: tuple[int, ...]) -> None:
    if codes.ndim != 2 or codes.shape[1] != len(sizes) or not sizes:
        raise UsageError(
            f"Paths have the shape {codes.shape}, and there are {len(sizes)} positions.",
            remedy="Give one row an item and one column a position, at least one.",
        )
    for step, size in enumerate(sizes):
        column = codes[:, step]
        outside = np.flatnonzero((column < 0) | (column >= size))
        if len(outside):
            raise UsageError(
                f"Item {outside[0]} has token {column[outside[0]]} at position {step}, which knows 0 to {size - 1}.",
                remedy="Build the tree from the codes and sizes of one catalogue.",
            )
