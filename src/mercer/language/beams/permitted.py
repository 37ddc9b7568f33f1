"""Permitted: which items a request may be answered with, and which nodes of the tree still lead to one.

What all requests share (stock, withdrawn goods) is counted once, below every node. What differs is kept as differences:
for a request that forbids some items, the nodes that have nothing left below them; for one that permits few, the nodes
that lead to one. So a block of requests over a hundred thousand items costs what its lists hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts import Ragged
from mercer.errors import UsageError

if TYPE_CHECKING:
    from mercer.language.beams.prefixes import Prefixes

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Permitted:
    """The rules of n requests. Made by `Prefixes.permitted`, which says what the parts mean.

    shared: bool, shape (I,): which leaves are available to all, in the order of leaves.
    below: for each depth, int32, shape (nodes,): how many of them lie below each node.

    Stability: experimental.
    """

    prefixes: Prefixes
    n: int
    available: Bools | None
    allow: tuple[Ragged, ...]
    deny: tuple[Ragged, ...]
    mask: Bools | None
    shared: Bools = field(init=False, repr=False)
    below: tuple[npt.NDArray[np.int32], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check()
        n_items = self.prefixes.n_items
        shared = (
            np.ones(n_items, bool)
            if self.available is None
            else np.asarray(self.available)[self.prefixes.item]
        )
        sums = np.zeros(n_items + 1, np.int32)
        np.cumsum(shared, out=sums[1:])
        object.__setattr__(self, "shared", shared)
        below = tuple(sums[depth.leaves[1:]] - sums[depth.leaves[:-1]] for depth in self.prefixes.depths)
        object.__setattr__(self, "below", below)

    def __len__(self) -> int:
        return self.n

    def block(self, rows: npt.NDArray[np.int64]) -> Living:
        """What is left of the tree for some of the requests."""
        forbidden: list[npt.NDArray[np.int32]] = []
        listed: list[npt.NDArray[np.int32]] = []
        is_listed = np.zeros(len(rows), bool)
        for place, row in enumerate(rows):
            leaves, is_listed[place] = self._differences(int(row))
            (listed if is_listed[place] else forbidden).append(leaves)
        return Living(
            self.below,
            is_listed,
            self._dead(np.flatnonzero(~is_listed), forbidden),
            self._alive(np.flatnonzero(is_listed), listed),
        )

    def _differences(self, row: int) -> tuple[npt.NDArray[np.int32], bool]:
        """The leaves that tell a request from what is shared, ascending; whether they are what it permits.

        Else they are leaves that are available to all and forbidden to it.
        """
        denied = self._leaves([rule[row] for rule in self.deny])
        if not self.allow and self.mask is None:
            denied = np.unique(denied)
            return denied[self.shared[denied]], False
        left = self.shared.copy()
        for rule in self.allow:
            named = np.zeros(len(left), bool)
            named[self._leaves([rule[row]])] = True
            left &= named
        if self.mask is not None:
            left &= self.mask[row, self.prefixes.item]
        left[denied] = False
        permitted = np.flatnonzero(left).astype(np.int32)
        if 2 * len(permitted) <= self.below[0].sum():
            return permitted, True
        return np.flatnonzero(self.shared & ~left).astype(np.int32), False

    def _leaves(self, items: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
        codes = np.concatenate(items) if items else np.zeros(0, np.int32)
        return self.prefixes.leaf[codes[codes >= 0]]

    def _dead(self, places: Numbers, forbidden: list[npt.NDArray[np.int32]]) -> tuple[Numbers, ...]:
        """For each depth, the sorted keys of nodes that a request has nothing left below."""
        keys = []
        for (key, times), below in zip(self._nodes(places, forbidden), self.below, strict=True):
            keys.append(key[times == below[key % max(len(below), 1)]])
        return tuple(keys)

    def _alive(self, places: Numbers, listed: list[npt.NDArray[np.int32]]) -> tuple[Numbers, ...]:
        """For each depth, the sorted keys of nodes that lead to an item which a request permits."""
        return tuple(key for key, _ in self._nodes(places, listed))

    def _nodes(self, places: Numbers, rows: list[npt.NDArray[np.int32]]) -> Iterator[tuple[Numbers, Numbers]]:
        """For each depth, the keys of the nodes above some leaves of some requests, and how many lie below each."""
        request = np.repeat(places, [len(row) for row in rows]).astype(np.int64)
        leaves = np.concatenate(rows) if rows else np.zeros(0, np.int32)
        for depth in self.prefixes.depths:
            # Leaves come in their order, so nodes and keys do too: nothing is sorted.
            yield _runs(request * len(depth) + depth.node_of[leaves])

    def _check(self) -> None:
        n_items = self.prefixes.n_items
        shapes = [("available", self.available, (n_items,)), ("mask", self.mask, (self.n, n_items))]
        for name, given, wanted in shapes:
            if given is not None and (np.shape(given) != wanted or np.asarray(given).dtype != bool):
                raise UsageError(
                    f"`{name}` is {np.asarray(given).dtype} of the shape {np.shape(given)}.",
                    remedy=f"Give bool of the shape {wanted}.",
                )
        for name, rules in (("allow", self.allow), ("deny", self.deny)):
            for rule in rules:
                if len(rule) != self.n:
                    raise UsageError(
                        f"A rule of `{name}` has {len(rule)} rows for {self.n} requests.",
                        remedy="Give one row for each request.",
                    )
                if len(rule.values) and int(rule.values.max()) >= n_items:
                    raise UsageError(
                        f"A rule of `{name}` names item {rule.values.max()}, and the tree has {n_items} items.",
                        remedy="Give rules and tree of one catalogue.",
                    )


@dataclass(frozen=True, slots=True, eq=False)
class Living:
    """What is left of the tree for each request of a block.

    below: as in Permitted. is_listed: bool, shape (requests,): whether `alive` says what is left, or `dead` what is
    not. Keys are request * nodes + node, sorted, one array a depth.
    """

    below: tuple[npt.NDArray[np.int32], ...]
    is_listed: Bools
    dead: tuple[Numbers, ...]
    alive: tuple[Numbers, ...]

    def leads(self, depth: int, request: Numbers, node: npt.NDArray[np.integer]) -> Bools:
        """Whether each node leads to an item that its request permits; shapes (m,)."""
        below = self.below[depth]
        left: Bools = below[node] > 0
        if not len(self.dead[depth]) and not self.is_listed.any():
            return left
        key = request * len(below) + node
        left &= ~_among(key, self.dead[depth])
        named = self.is_listed[request]
        left[named] &= _among(key[named], self.alive[depth])
        return left


def _runs(ordered: Numbers) -> tuple[Numbers, Numbers]:
    """The different values of a sorted array and how often each is there."""
    starts = (
        np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else ordered
    )
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _among(keys: Numbers, ordered: Numbers) -> Bools:
    """Whether each key is in a sorted array."""
    if not len(ordered):
        return np.zeros(len(keys), bool)
    found: Bools = ordered[np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)] == keys
    return found
