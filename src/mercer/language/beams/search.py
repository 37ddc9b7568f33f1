"""beam_search: the most probable permitted items of each request, over a tree of paths.

Requests are decoded in blocks of similar length. In a block, a step takes all children of all beams that still lead to
a permitted item, and keeps the best of each request; where nothing is left, there is no beam, and so no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts.ragged import gather
from mercer.errors import DivergedError, UsageError
from mercer.language.beams.permitted import Living, Permitted
from mercer.language.beams.prefixes import Prefixes
from mercer.language.beams.steps import StepModel

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
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
    memory: int = MEMORY,
) -> Found:
    """Decode the paths of items after each prompt.

    prompts: n arrays of vocabulary tokens, of any lengths. width: beams kept at each step. k: items answered, at most
    `width`; with beams as wide as the catalogue the order is that of exhaustive scoring. permitted: rules of the n
    requests; None permits the catalogue. among_children: a token's probability is taken among the tokens that go on
    from its prefix in the tree, so that the probabilities of all items sum to one; the rules of a request change none
    of them. Else it is taken as the model gives it, and what no item has is lost. memory: bytes that prompts and beams
    may take at once; requests are decoded in blocks of similar length that fit, one at least.
    Fails closed: where nothing is permitted the row is all -1. Ties go to the smaller item code; among beams on their
    way, to the path that comes first.
    Raises UsageError for k above width and for rules of another number of requests or of another tree, DivergedError
    where the model's probabilities are no numbers.
    """
    rules = prefixes.permitted(len(prompts)) if permitted is None else permitted
    _check(rules, prefixes, len(prompts), width, k)
    found = Found(np.full((len(prompts), k), -1, np.int32), np.full((len(prompts), k), -np.inf, np.float32))
    for rows in _blocks(model, prompts, prefixes, width, memory):
        living = rules.block(rows)
        root = (
            living.leads(0, np.arange(len(rows)), np.zeros(len(rows), np.int64)) if prefixes.n_items else []
        )
        if np.any(root):
            _decode(
                model, [prompts[row] for row in rows], prefixes, living, rows, width, found, among_children
            )
    return found


def _answerable(rules: Permitted, rows: Numbers) -> tuple[Numbers, Living]:
    """The requests that anything is permitted to; the others cost nothing and stay without an answer."""
    living = rules.block(rows)
    if not rules.prefixes.n_items:
        return rows[:0], living
    any_left = living.leads(0, np.arange(len(rows)), np.zeros(len(rows), np.int64))
    return (rows, living) if any_left.all() else (rows[any_left], rules.block(rows[any_left]))


def _decode(
    model: StepModel,
    prompts: Sequence[Int32s],
    prefixes: Prefixes,
    living: Living,
    rows: Numbers,
    width: int,
    found: Found,
    among_children: bool,
) -> None:
    """Decode a block and write its answers into their rows."""
    asked = _asked(prefixes)
    state, known = None, np.zeros((len(prompts), 1, 1), np.float32)
    if asked:
        state, known = model.begin(prompts, width=width, steps=asked - 1)
    beams = _Beams.at_root(len(prompts))
    for depth in range(1, prefixes.steps + 1):
        grown = _grown(beams, known, prefixes, living, depth, among_children)
        if depth == prefixes.steps:
            beams = _best(grown, found.items.shape[1], prefixes.item[grown.node])
            break
        beams = _best(grown, width, grown.node)
        parents, tokens = beams.side_by_side(len(prompts), prefixes.depths[depth].token)
        known = (
            model.step(state, parents, tokens) if depth < asked else np.zeros((*tokens.shape, 1), np.float32)
        )
    found.items[rows[beams.request], beams.place] = prefixes.item[beams.node]
    found.log_probability[rows[beams.request], beams.place] = beams.score


@dataclass(frozen=True, slots=True)
class _Beams:
    """All beams of a block, or all that may become one, by request; arrays of one length.

    place: among the beams of the request. parent: the place of the beam that each goes on from. score: float64 sums of
    log-probabilities.
    """

    request: Numbers
    place: Numbers
    parent: Numbers
    node: Numbers
    score: Floats

    @classmethod
    def at_root(cls, n: int) -> _Beams:
        none = np.zeros(n, np.int64)
        return cls(np.arange(n), none, none, none, np.zeros(n))

    def side_by_side(self, n: int, token: Int32s) -> tuple[Int32s, Int32s]:
        """Parents and tokens, shape (n, beams); requests with fewer beams are filled up with beams of no meaning."""
        shape = (n, int(self.place.max()) + 1)
        parents, tokens = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        parents[self.request, self.place] = self.parent
        tokens[self.request, self.place] = token[self.node]
        return parents, tokens


def _grown(
    beams: _Beams, known: Floats32, prefixes: Prefixes, living: Living, depth: int, among_children: bool
) -> _Beams:
    """Every child of every beam that leads to a permitted item, in the order of requests."""
    picked, node = gather(prefixes.depths[depth - 1].children.astype(np.int64), beams.node)
    of = np.repeat(np.arange(len(beams.node)), np.diff(picked))
    request, parent = beams.request[of], beams.place[of]
    gained = known[request, parent, prefixes.depths[depth].token[node]].astype(np.float64)
    if among_children and len(gained):
        gained -= np.repeat(np.logaddexp.reduceat(gained, picked[:-1]), np.diff(picked))
    leads = living.leads(depth, request, node)
    of, request, parent, node = of[leads], request[leads], parent[leads], node[leads]
    score = beams.score[of] + gained[leads]
    if np.isnan(score).any():
        raise DivergedError(
            "The model's probabilities are not numbers.", remedy="Take a checkpoint from before it diverged."
        )
    return _Beams(request, parent, parent, node, score)


def _best(every: _Beams, width: int, tie: npt.NDArray[np.integer]) -> _Beams:
    """The `width` best of each request, best first; of equal ones those with the smaller `tie`."""
    near = _near(every.request, every.score, width)
    request, node, score = every.request[near], every.node[near], every.score[near]
    order = np.lexsort((tie[near], -score, request))
    request = request[order]
    place = np.arange(len(request)) - np.searchsorted(request, request)
    kept = place < width
    order = order[kept]
    return _Beams(request[kept], place[kept], every.parent[near[order]], node[order], score[order])


def _near(request: Numbers, score: Floats, width: int) -> Numbers:
    """Those that are no worse than the one at `width` of their request, so that few are left to sort."""
    counts = np.bincount(request) if len(request) else np.zeros(0, np.int64)
    if not len(counts) or counts.max() <= width:
        return np.flatnonzero(score > -np.inf)
    begins = np.cumsum(counts) - counts
    side = np.full((len(counts), int(counts.max())), -np.inf)
    side[request, np.arange(len(request)) - begins[request]] = score
    least = np.partition(side, -width, axis=1)[:, -width]
    return np.flatnonzero((score >= least[request]) & (score > -np.inf))


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
