"""Which tokens go on from a prefix of a path: an item's token is normalised among these, since no other can be meant.

A decoder that is asked for one of 256 codes has to learn which of them exist below a prefix; told so, it learns what
people want instead. The same tree stands in the search (`beam_search(among_children=True)`), so a log-probability means
the same in training and in answers, and the probabilities of all items sum to one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.errors import DataError
from mercer.language.beams import Prefixes
from mercer.language.events.lines import Lines

if TYPE_CHECKING:
    from mercer.language.events.tokenizer import EventTokenizer

Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Paths:
    """The catalogue's paths as a tokenizer writes them."""

    tokenizer: EventTokenizer

    @property
    def prefixes(self) -> Prefixes:
        """The tree."""
        return self.tokenizer.prefixes

    @property
    def slots(self) -> range:
        """The numbers of an item's slots."""
        first = self.tokenizer.n_before
        return range(first, first + self.tokenizer.n_levels)

    def parents(self, lines: Lines) -> npt.NDArray[np.int32]:
        """The node that each item token goes on from, int32, shape (N,); -1 for every other token.

        Raises DataError for a path that is not whole, or that no item has.
        """
        out = np.full(len(lines.token), -1, np.int32)
        at = np.flatnonzero(lines.slot == self.slots[0])
        node = np.zeros(len(at), np.int64)
        starts = [start for start, _ in self.tokenizer.item_rows]
        for level, slot in enumerate(self.slots):
            place = at + level
            if len(at) and (place[-1] >= len(lines.token) or (lines.slot[place] != slot).any()):
                raise DataError(
                    "A line holds a path that is not whole.", remedy="Cut lines at whole events only."
                )
            out[place] = node
            node = self._child(level, node, lines.token[place].astype(np.int64) - starts[level])
        return out

    def items(self, tokens: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """The item whose last token stands at each place of rows of tokens, int32, shape (n, length); -1 at others.

        A path that is not whole, or that no item has, is none.
        """
        out = np.full(tokens.shape, -1, np.int32)
        steps = self.tokenizer.n_levels
        start, stop = self.tokenizer.item_rows[-1]
        row, last = np.nonzero((tokens >= start) & (tokens < stop))
        row, last = row[last >= steps - 1], last[last >= steps - 1]
        node, there = np.zeros(len(row), np.int64), np.ones(len(row), bool)
        for level, (begin, _) in enumerate(self.tokenizer.item_rows):
            node, found = self._children(level, node, tokens[row, last - (steps - 1 - level)] - begin)
            there &= found
        out[row[there], last[there]] = self.prefixes.item[node[there]]
        return out

    def among(self, level: int, nodes: npt.NDArray[np.integer]) -> Bools:
        """Which tokens of a level go on from each node, bool, shape (m, tokens of the level)."""
        return self.prefixes.below(level, nodes) > 0

    @cached_property
    def _keys(self) -> tuple[Numbers, ...]:
        """For each depth but the root: parent times the level's size plus token, ascending."""
        made = []
        for level, size in enumerate(self.prefixes.sizes):
            above = np.diff(self.prefixes.depths[level].children)
            parent = np.repeat(np.arange(len(above), dtype=np.int64), above)
            made.append(parent * size + self.prefixes.depths[level + 1].token)
        return tuple(made)

    def _child(self, level: int, node: Numbers, token: Numbers) -> Numbers:
        found, there = self._children(level, node, token)
        if not there.all():
            raise DataError(
                "A line holds a path that no item has.",
                remedy="Make lines with the tokenizer of this catalogue.",
            )
        return found

    def _children(self, level: int, node: Numbers, token: npt.NDArray[np.integer]) -> tuple[Numbers, Bools]:
        """The nodes that tokens lead to, and whether they do; any node where they don't."""
        size = self.prefixes.sizes[level]
        keys, wanted = self._keys[level], node * size + token
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return found.astype(np.int64), (token >= 0) & (token < size) & (keys[found] == wanted)
