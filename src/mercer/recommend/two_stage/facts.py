"""What the log says of items as of a time: who follows what, what sells and sells lately, what is bought again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions
from mercer.recommend.cooccurrence import count_pairs, strongest
from mercer.recommend.popular import DAY_US
from mercer.recommend.signals import signals
from mercer.recommend.two_stage.catalogue import Catalogue
from mercer.recommend.two_stage.options import TwoStageOptions
from mercer.recommend.two_stage.sparse import Rows
from mercer.recommend.two_stage.titles import SCALE, Titles

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

LATELY_DAYS = (7.0, 28.0, 91.0)
LATELY_SHARES = (0.1, 0.2, 0.4)
"""Windows of recent sales: days in logs with a clock, shares of each person's last positions in logs without."""
_GROUP_ROW = 300
_MOST_MEMBERS = 80
_RIDGE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """I items, as of a time in microseconds.

    pairs, forward: rows of neighbours, both directions and in order alone. brand_pairs, leaf_pairs: the same of
    brands and of category paths. count: weighted events of each item. lately: the same in the three windows, (I, 3).
    first_days: days since its first sale, 0 without a clock. again: share of its buyers who bought it once more,
    drawn towards the shop's share. again_days: typical days between. price: listed, else paid on average, NaN unknown.
    of_brand, of_leaf: the items of each, most popular first. history_factors, item_factors: shape (I, factors).
    title_follows: shape (d, d): how one title's vector is followed by another's.
    """

    as_of: int
    pairs: Rows
    forward: Rows
    brand_pairs: Rows
    leaf_pairs: Rows
    count: Floats32
    lately: Floats32
    first_days: Floats32
    again: Floats32
    again_days: Floats32
    price: Floats32
    of_brand: Rows
    of_leaf: Rows
    history_factors: Floats32
    item_factors: Floats32
    title_follows: Floats32

    @classmethod
    def learn(
        cls,
        known: Interactions,
        as_of: int,
        catalogue: Catalogue,
        titles: Titles,
        options: TwoStageOptions,
        *,
        repeats: bool,
    ) -> Self:
        """Count what `known` holds; nothing after `as_of` may be in it. repeats: an item may follow itself."""
        log, weights = signals(known, options)
        held: Floats = np.bincount(log.item, weights, minlength=len(log.items)).astype(np.float64)
        forward, both = _pairs(log, weights, options)
        ahead = forward - _diagonal(forward)
        scaled = _scaled(both + _diagonal(forward) if repeats else both, held, options)
        again, again_days = _again(log)
        history_factors, item_factors = _factors(scaled, options.factors)
        return cls(
            as_of=as_of,
            pairs=Rows.of(strongest(scaled, options.neighbours)),
            forward=Rows.of(strongest(_scaled(ahead, held, options), options.neighbours)),
            brand_pairs=_between_groups(both, catalogue.brand, held),
            leaf_pairs=_between_groups(both, catalogue.leaf, held),
            count=held.astype(np.float32),
            lately=_lately(log, weights, as_of),
            first_days=_first_days(log, as_of),
            again=again,
            again_days=again_days,
            price=_price(log, catalogue.price),
            of_brand=_members(catalogue.brand, held),
            of_leaf=_members(catalogue.leaf, held),
            history_factors=history_factors,
            item_factors=item_factors,
            title_follows=_title_follows(both, held, titles),
        )


def _pairs(log: Interactions, weights: Floats, o: TwoStageOptions) -> tuple[csr_array, csr_array]:
    """Pairs in order (the diagonal: bought again), and pairs both ways and within a step, without diagonal."""
    counts = count_pairs(log, weights, window=o.window, exponent=o.gap_exponent, reach=o.reach)
    ahead = counts.forward - _diagonal(counts.forward)
    return counts.forward, ahead + o.backward * ahead.T + o.together * counts.together


def _diagonal(matrix: csr_array) -> csr_array:
    from scipy.sparse import diags_array

    return diags_array(matrix.diagonal())


def _scaled(pairs: csr_array, held: Floats, o: TwoStageOptions) -> csr_array:
    """pairs[i, j] / (n_i ** a * (n_j + s) ** b), as item-kNN divides them."""
    from scipy.sparse import diags_array

    rows = np.maximum(held, 1e-12) ** -o.row_exponent
    columns = np.maximum(held + o.shrinkage, 1e-12) ** -o.column_exponent
    scaled = (diags_array(rows) @ pairs @ diags_array(columns)).tocsr()
    scaled.eliminate_zeros()
    return scaled


def _between_groups(pairs: csr_array, group: npt.NDArray[np.int32], held: Floats) -> Rows:
    """How strongly one group of items (a brand, a category path) follows another: cosine of their pairs."""
    from scipy.sparse import csr_array, diags_array

    n_groups = int(group.max(initial=-1)) + 1
    if not n_groups:
        return Rows.empty(0, 0)
    [inside] = np.nonzero(group >= 0)
    member = csr_array((np.ones(len(inside)), (inside, group[inside])), shape=(len(group), n_groups))
    size = member.T @ held
    between = (diags_array(np.maximum(size, 1) ** -0.5) @ (member.T @ pairs @ member)).tocsr()
    between = (between @ diags_array((size + 5) ** -0.5)).tocsr()
    return Rows.of(strongest(between, _GROUP_ROW))


def _members(group: npt.NDArray[np.int32], held: Floats) -> Rows:
    """The most popular items of each group, best first; the data are their counts."""
    n_groups = int(group.max(initial=-1)) + 1
    [inside] = np.nonzero(group >= 0)
    order = inside[np.lexsort((inside, -held[inside], group[inside]))]
    sizes = np.bincount(group[inside], minlength=n_groups)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = order[place < _MOST_MEMBERS]
    indptr = np.zeros(n_groups + 1, np.int64)
    np.cumsum(np.minimum(sizes, _MOST_MEMBERS), out=indptr[1:])
    return Rows(indptr, kept.astype(np.int32), held[kept].astype(np.float32), len(group))


def _factors(scaled: csr_array, factors: int) -> tuple[Floats32, Floats32]:
    """The rank-`factors` approximation of the neighbours' matrix as two thin ones; a small matrix has none."""
    from scipy.sparse.linalg import svds

    n_items = scaled.shape[0]
    if not factors or n_items <= factors + 1 or not scaled.nnz:
        return np.zeros((n_items, 0), np.float32), np.zeros((n_items, 0), np.float32)
    left, strength, right = svds(scaled, k=factors, v0=np.ones(n_items), tol=1e-2)
    half = np.sqrt(strength)
    return (left * half).astype(np.float32), (right.T * half).astype(np.float32)


def _title_follows(pairs: csr_array, held: Floats, titles: Titles) -> Floats32:
    """The bilinear form W that brings x_i W x_j nearest to pairs[i, j] / (n_i n_j), pairs weighed by n_i n_j.

    It carries what follows what to items that were never bought together, by the meaning of their titles.
    """
    vectors = titles.vectors.astype(np.float64) / SCALE
    width = vectors.shape[1]
    if not width or not held.sum():
        return np.zeros((width, width), np.float32)
    spread = vectors.T @ (held[:, None] * vectors)
    spread += _RIDGE * np.trace(spread) / width * np.eye(width)
    across = vectors.T @ (pairs @ vectors)
    form = np.linalg.solve(spread, np.linalg.solve(spread, across).T).T
    return np.asarray(form * held.sum(), np.float32)


def _lately(log: Interactions, weights: Floats, as_of: int) -> Floats32:
    out = np.zeros((len(log.items), len(LATELY_DAYS)), np.float32)
    for column, (days, share) in enumerate(zip(LATELY_DAYS, LATELY_SHARES, strict=True)):
        if log.has_clock:
            late = log.time > as_of - int(days * DAY_US)
        else:
            taken = np.ceil(log.lengths * share - 1e-9).astype(np.int64)
            late = np.arange(log.n_events) >= np.repeat(log.indptr[1:] - taken, log.lengths)
        out[:, column] = np.bincount(log.item[late], weights[late], minlength=len(log.items))
    return out


def _first_days(log: Interactions, as_of: int) -> Floats32:
    first = np.full(len(log.items), as_of, np.int64)
    if log.has_clock:
        np.minimum.at(first, log.item, log.time)
    return ((as_of - first) / DAY_US).astype(np.float32)


def _again(log: Interactions) -> tuple[Floats32, Floats32]:
    """The share of buyers who bought an item at another time once more, and the typical days between two times.

    Both are drawn towards the shop's average by a few buyers' worth. The log of a user is ordered by time.
    """
    n_items = len(log.items)
    order = np.argsort(log.user_of * n_items + log.item, kind="stable")
    pair, item, time = (log.user_of * n_items + log.item)[order], log.item[order], log.time[order]
    first = np.ones(len(order), bool)
    first[1:] = pair[1:] != pair[:-1]
    later = np.flatnonzero(~first & (np.diff(time, prepend=0) > 0))
    buyers = np.bincount(item[first], minlength=n_items)
    repeated = np.zeros(int(first.sum()), bool)
    repeated[(np.cumsum(first) - 1)[later]] = True
    came_back = np.bincount(item[first], repeated, minlength=n_items)
    days = np.log1p((time[later] - time[later - 1]) / DAY_US) if log.has_clock else np.zeros(len(later))
    times, gaps = (
        np.bincount(item[later], minlength=n_items),
        np.bincount(item[later], days, minlength=n_items),
    )
    usual, usual_gap = came_back.sum() / max(1, buyers.sum()), gaps.sum() / max(1, times.sum())
    share = (came_back + 5 * usual) / (buyers + 5)
    return share.astype(np.float32), np.expm1((gaps + 3 * usual_gap) / (times + 3)).astype(np.float32)


def _price(log: Interactions, listed: Floats32) -> Floats32:
    paid = (log.amount_minor > 0) & (log.quantity > 0)
    pieces = np.bincount(log.item[paid], log.quantity[paid].astype(np.float64), minlength=len(listed))
    amount = np.bincount(log.item[paid], log.amount_minor[paid].astype(np.float64), minlength=len(listed))
    mean = np.divide(amount, pieces, out=np.full(len(listed), np.nan), where=pieces > 0)
    return np.where(np.isnan(listed), mean, listed).astype(np.float32)
