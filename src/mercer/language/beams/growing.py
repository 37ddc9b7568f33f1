"""Beams of a block of requests: their children, and the best of these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.errors import DivergedError
from mercer.language.beams.masses import Masses
from mercer.language.beams.permitted import Living
from mercer.language.beams.prefixes import Prefixes

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Beams:
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
    def at_root(cls, n: int) -> Beams:
        """One beam a request, before its first token."""
        none = np.zeros(n, np.int64)
        return cls(np.arange(n), none, none, none, np.zeros(n))

    def __len__(self) -> int:
        return len(self.node)

    def side_by_side(
        self, n: int, token: Int32s, chosen: Numbers
    ) -> tuple[tuple[Int32s, Int32s, Int32s], tuple[Numbers, Numbers]]:
        """Parents, tokens and nodes of the chosen beams, shape (n, most of a request), and where each stands there.

        chosen: ascending. Requests with fewer beams are filled up with beams of no meaning.
        """
        request = self.request[chosen]
        column = np.arange(len(chosen)) - np.searchsorted(request, request)
        shape = (n, int(column.max(initial=0)) + 1)
        parents, tokens, nodes = (np.zeros(shape, np.int32) for _ in range(3))
        parents[request, column] = self.parent[chosen]
        tokens[request, column] = token[self.node[chosen]]
        nodes[request, column] = self.node[chosen]
        return (parents, tokens, nodes), (request, column)


def grown(
    beams: Beams,
    known: Floats32,
    prefixes: Prefixes,
    living: Living,
    depth: int,
    *,
    among_children: bool,
    masses: Masses | None = None,
) -> Beams:
    """Every child of every beam that leads to a permitted item, in the order of requests.

    known: shape (requests, beams, tokens): log-probabilities of the token after each beam. depth: of the children.
    among_children, masses: as in `beam_search`; over all children, permitted or not.
    Raises DivergedError where they are not numbers.
    """
    picked, node = prefixes.depths[depth - 1].children_of(beams.node)
    of = np.repeat(np.arange(len(beams)), np.diff(picked))
    request, parent = beams.request[of], beams.place[of]
    gained = known[request, parent, prefixes.depths[depth].token[node]].astype(np.float64)
    if np.isnan(gained).any():
        raise DivergedError(
            "The model's probabilities are not numbers.", remedy="Take a checkpoint from before it diverged."
        )
    if masses is not None:
        gained += masses.log_below(request, depth, node)
    if among_children and len(gained):
        # No beam is without a child, so no part of reduceat is empty.
        gained -= np.repeat(np.logaddexp.reduceat(gained, picked[:-1]), np.diff(picked))
    leads = living.leads(depth, request, node)
    of, request, parent, node = of[leads], request[leads], parent[leads], node[leads]
    return Beams(request, parent, parent, node, beams.score[of] + gained[leads])


def best(every: Beams, width: int, tie: npt.NDArray[np.integer]) -> Beams:
    """The `width` best of each request, best first; of equal ones those with the smaller `tie`."""
    near = _near(every.request, every.score, width)
    request, score = every.request[near], every.score[near]
    order = np.lexsort((tie[near], -score, request))
    request = request[order]
    place = np.arange(len(request)) - np.searchsorted(request, request)
    kept = place < width
    chosen = near[order[kept]]
    return Beams(request[kept], place[kept], every.parent[chosen], every.node[chosen], every.score[chosen])


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
