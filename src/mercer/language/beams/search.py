"""beam_search: the most probable permitted items of each request, over a tree of paths.

Requests are decoded in blocks of similar length. In a block, a step takes all children of all beams that still lead to
a permitted item, and keeps the best of each request; where nothing is left, there is no beam, and so no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError
from mercer.language.beams.growing import Beams, best, grown
from mercer.language.beams.masses import Masses
from mercer.language.beams.permitted import Living, Permitted
from mercer.language.beams.prefixes import Prefixes
from mercer.language.beams.steps import StepModel

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

MEMORY = 256 * 2**20
"""Bytes for keys, values and probabilities of a block."""

CHILD = 96
"""Bytes for what a child of a beam takes while it is weighed."""

MOST_REQUESTS = 64
"""Of a block: beyond, a step is no cheaper a request."""


@dataclass(frozen=True, slots=True)
class Found:
    """items: int32, shape (n, k), best first, -1 where fewer were found.

    log_probability: float32, shape (n, k), of the item's whole path after the prompt; -inf there.
    """

    items: Int32s
    log_probability: Floats32


def beam_search(
    model: StepModel,
    prompts: Sequence[Int32s],
    prefixes: Prefixes,
    *,
    width: int,
    k: int,
    permitted: Permitted | None = None,
    among_children: bool = False,
    mass: npt.NDArray[np.floating] | None = None,
    memory: int = MEMORY,
) -> Found:
    """Decode the paths of items after each prompt.

    prompts: n arrays of vocabulary tokens, of any lengths. width: beams kept at each step. k: items answered, at most
    `width`; with beams as wide as the catalogue the order is that of exhaustive scoring. permitted: rules of the n
    requests; None permits the catalogue. among_children: a token's probability is taken among the tokens that go on
    from its prefix in the tree, so that the probabilities of all items sum to one; the rules of a request change none
    of them. Else it is taken as the model gives it, and what no item has is lost. mass: of each item for each request,
    above 0, shape (n, I), with `among_children`: the logarithm of what lies below a child is added to what the model
    says of it (`masses.py`). memory: bytes that prompts and beams may take at once; requests are decoded in blocks of
    similar length that fit, one at least.
    Fails closed: where nothing is permitted the row is all -1. Ties go to the smaller item code; among beams on their
    way, to the path that comes first. What has probability 0 is not answered.
    Raises UsageError for k above width, for rules or masses of another number of requests or of another tree, and for
    masses without `among_children`; DivergedError where the model's probabilities are no numbers.
    """
    rules = prefixes.permitted(len(prompts)) if permitted is None else permitted
    _check(rules, prefixes, len(prompts), width, k)
    if mass is not None and (len(mass) != len(prompts) or not among_children):
        raise UsageError(
            f"Masses are given for {len(mass)} of {len(prompts)} requests"
            f"{'' if among_children else ', and tokens are not taken among the children of a prefix'}.",
            remedy="Give one row for each request, with among_children=True.",
        )
    found = Found(np.full((len(prompts), k), -1, np.int32), np.full((len(prompts), k), -np.inf, np.float32))
    search = _Search(model, prefixes, width, k, among_children)
    for block in _blocks(model, prompts, prefixes, width, memory):
        rows, living = _answerable(rules, block)
        if len(rows):
            masses = None if mass is None else Masses.of(prefixes, mass[rows])
            beams = search.decode([prompts[row] for row in rows], living, masses)
            found.items[rows[beams.request], beams.place] = prefixes.item[beams.node]
            found.log_probability[rows[beams.request], beams.place] = beams.score
    return found


@dataclass(frozen=True, slots=True)
class _Search:
    """What is the same for all blocks."""

    model: StepModel
    prefixes: Prefixes
    width: int
    k: int
    among_children: bool

    def decode(self, prompts: Sequence[Int32s], living: Living, masses: Masses | None) -> Beams:
        """The best leaves of each request of a block; each has something permitted."""
        prefixes, asked = self.prefixes, _asked(self.prefixes)
        state, known = None, np.zeros((len(prompts), 1, 1), np.float32)
        if asked:
            state, known = self.model.begin(prompts, width=self.width, steps=asked - 1)
        beams = Beams.at_root(len(prompts))
        for depth in range(1, prefixes.steps):
            children = grown(
                beams, known, prefixes, living, depth, among_children=self.among_children, masses=masses
            )
            beams = best(children, self.width, children.node)
            known = self._next(state, beams, len(prompts), depth, asked)
        leaves = grown(
            beams, known, prefixes, living, prefixes.steps, among_children=self.among_children, masses=masses
        )
        return best(leaves, self.k, prefixes.item[leaves.node])

    def _next(self, state: Any, beams: Beams, n: int, depth: int, asked: int) -> Floats32:
        """Log-probabilities after each beam, shape (n, beams, tokens of the position)."""
        shape = (n, int(beams.place.max(initial=0)) + 1, self.prefixes.sizes[depth])
        chosen = np.arange(len(beams))
        if self.among_children and depth == asked - 1:
            # An only child is certain, and after the last position asked about nothing is read on.
            chosen = np.flatnonzero(np.diff(self.prefixes.depths[depth].children)[beams.node] > 1)
        if depth >= asked or not len(chosen):
            return np.zeros(shape, np.float32)
        token = self.prefixes.depths[depth].token
        put, (request, column) = beams.side_by_side(n, token, chosen)
        known = self.model.step(state, *put)
        if len(chosen) == len(beams):
            return known
        spread = np.zeros((*shape[:2], known.shape[2]), np.float32)
        spread[request, beams.place[chosen]] = known[request, column]
        return spread


def _answerable(rules: Permitted, rows: Numbers) -> tuple[Numbers, Living]:
    """The requests that anything is permitted to; the others cost nothing and stay without an answer."""
    living = rules.block(rows)
    if not rules.prefixes.n_items:
        return rows[:0], living
    any_left = living.leads(0, np.arange(len(rows)), np.zeros(len(rows), np.int64))
    return (rows, living) if any_left.all() else (rows[any_left], rules.block(rows[any_left]))


def _asked(prefixes: Prefixes) -> int:
    """Positions up to the last one with more than one token; after it the model has nothing to say."""
    return max((place + 1 for place, size in enumerate(prefixes.sizes) if size > 1), default=0)


def _blocks(
    model: StepModel, prompts: Sequence[Int32s], prefixes: Prefixes, width: int, memory: int
) -> Iterator[Numbers]:
    """Requests of similar length, as many as the memory allows."""
    children = max((int(np.diff(depth.children).max(initial=0)) for depth in prefixes.depths), default=0)
    lengths = np.array([len(prompt) for prompt in prompts], np.int64)
    block: list[int] = []
    for row in np.argsort(lengths, kind="stable"):
        needed = model.bytes_a_request(int(lengths[row]), width=width, steps=prefixes.steps - 1)
        needed += width * children * CHILD
        if block and (len(block) >= MOST_REQUESTS or (len(block) + 1) * needed > memory):
            yield np.array(block, np.int64)
            block = []
        block.append(int(row))
    if block:
        yield np.array(block, np.int64)


def _check(rules: Permitted, prefixes: Prefixes, n: int, width: int, k: int) -> None:
    if not 1 <= k <= width:
        raise UsageError(
            f"{k} items are asked of beams of width {width}.",
            remedy="Ask for 1 to as many as there are beams.",
        )
    if len(rules) != n or rules.prefixes is not prefixes:
        raise UsageError(
            f"The rules are of {len(rules)} requests over a tree of {rules.prefixes.n_items} items; there are {n} "
            f"prompts and {prefixes.n_items} items.",
            remedy="Make the rules with the tree that is searched, one row for each prompt.",
        )
