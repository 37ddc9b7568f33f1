"""Features of what a sequence ranker expects next, and how it is asked."""

from __future__ import annotations

import numpy as np

from mercer.contracts import Floats32, ListScorer, Ragged, Ranker, Requests
from mercer.recommend.two_stage.asked import Asked, Columns
from mercer.recommend.two_stage.candidates import Pool
from mercer.recommend.two_stage.sparse import places

SEQUENCE = ("sequence", "sequence_log", "sequence_share", "sequence_place")


def sequence(a: Asked) -> Columns:
    """Its score, the same as log-probability among the whole catalogue, as a share of the best candidate's
    probability, and the place in the list."""
    if a.sequence is None:
        return dict.fromkeys(SEQUENCE, a.unknown())
    scores = a.sequence.astype(np.float64)
    best = scores.max(axis=1, keepdims=True)
    total = best[:, 0] + np.log(np.exp(scores - best).sum(axis=1))
    own, row = scores.ravel()[a.pool.cell], a.pool.row
    greatest = np.full(a.pool.n, -np.inf)
    np.maximum.at(greatest, row, own)
    return {
        "sequence": own,
        "sequence_log": own - total[row],
        "sequence_share": np.exp(own - greatest[row]),
        "sequence_place": places(row, own),
    }


def one_by_one(ranker: Ranker, requests: Requests) -> Floats32:
    """Scores of the whole catalogue, shape (n, I).

    Each request is asked alone: a network's sums round otherwise in another batch, and a tree that splits between two
    roundings would give one request two answers.
    """
    items = np.arange(len(requests.items), dtype=np.int32)
    out = np.empty((len(requests), len(items)), np.float32)
    for row in range(len(requests)):
        out[row] = ranker.score(requests.take([row]), items)[0]
    return out


def at_candidates(ranker: object, requests: Requests, found: Pool, scores: Floats32) -> Floats32:
    """`scores`, shape (n, I), with every candidate's own where the ranker scores what it is handed: beams reach some
    items alone, and leave the others tied."""
    if not isinstance(ranker, ListScorer):
        return scores
    out, ends = scores.copy(), np.cumsum(found.sizes)
    for row, end in enumerate(ends):
        listed = Ragged.from_rows([found.item[end - found.sizes[row] : end].astype(np.int32)])
        out[row, listed.values] = ranker.score_listed(requests.take([row]), listed)
    return out
