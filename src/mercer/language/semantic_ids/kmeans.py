"""k-means by Lloyd's rounds from a greedy k-means++ start; with `balance`, crowded codes are made dearer.

Left to itself, k-means of residuals gives most rows to the one point near 0, since rows in many directions are nearer
to it than to one another. A price for each point, added to the squared distance, evens the shares; it is found as in
optimal transport (one of Sinkhorn's iterations a round), and stays with the points, so that new rows pay it, too.
Source: Lloyd, 1982; Arthur and Vassilvitskii, 2007; of the prices Cuturi, NeurIPS 2013; Asano et al., ICLR 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32

Ints = npt.NDArray[np.int64]

SEEDING_ROWS = 64
"""Rows a code among which the first points are chosen: all rows of a large catalogue would cost too much."""
SOFTNESS = 0.1
"""Of shares while prices are sought, per standard deviation of a row's squared distances."""
LAST_ROUNDS = 15
"""In which prices alone still move."""
_CELLS = 16_000_000
"""Distances held at once: 128 MB."""


@dataclass(frozen=True, slots=True)
class Points:
    """k points, float32, shape (k, d), and what each costs on top of the squared distance, float32, shape (k,).

    A price of infinity marks a point that stands for nothing: there were fewer different rows than points.
    """

    at: Floats32
    price: Floats32

    def nearest(self, rows: Floats32) -> Ints:
        """The cheapest point of each row, int64, shape (n,); the first of equals."""
        return nearest(rows, self.at, self.price)


def nearest(rows: Floats32, at: Floats32, price: Floats32) -> Ints:
    """As `Points.nearest`, in blocks. In float64, so that equal rows get equal codes wherever they stand."""
    wide = at.astype(np.float64)
    own = (wide**2).sum(axis=1) + price
    found = np.empty(len(rows), np.int64)
    size = max(1, _CELLS // len(at))
    for start in range(0, len(rows), size):
        block = rows[start : start + size].astype(np.float64)
        found[start : start + size] = (own - 2 * (block @ wide.T)).argmin(axis=1)
    return found


def kmeans(rows: Floats32, k: int, *, rounds: int, balance: float, chance: np.random.Generator) -> Points:
    """k points for rows, shape (n, d). balance: share of the prices that would make all points' shares equal; 0 leaves
    the shares as they fall, 1 makes them about equal where rows allow it."""
    at = _first(rows, k, chance)
    live = len(at)
    even = np.zeros(live)
    own: Ints | None = None
    for _ in range(rounds):
        found = nearest(rows, at, (balance * even).astype(np.float32))
        if own is not None and np.array_equal(found, own) and not balance:
            break
        own = found
        at = _refilled(rows, own, _means(rows, own, at), chance)
        if balance:
            even = _evened(rows, at, even)
    for _ in range(LAST_ROUNDS if balance else 0):
        even = _evened(rows, at, even)
    whole = np.zeros((k, rows.shape[1]), np.float32)
    whole[:live] = at
    prices = np.full(k, np.inf, np.float32)
    prices[:live] = balance * even
    return Points(whole, prices)


def _evened(rows: Floats32, at: Floats32, price: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Prices nearer to those at which all shares are equal, by one more of Sinkhorn's iterations; their mean is 0."""
    share, softness = np.zeros(len(at)), 0.0
    wide = at.astype(np.float64)
    norms = (wide**2).sum(axis=1)
    size = max(1, _CELLS // len(at))
    for start in range(0, len(rows), size):
        apart = norms - 2 * (rows[start : start + size].astype(np.float64) @ wide.T)
        softness = softness or SOFTNESS * float(apart.std(axis=1).mean())
        if not softness > 0:
            return price
        apart += price
        apart -= apart.min(axis=1, keepdims=True)
        np.exp(apart / -softness, out=apart)
        share += (apart / apart.sum(axis=1, keepdims=True)).sum(axis=0)
    moved = price + softness * np.log((share + 1e-9) * len(at) / len(rows)).clip(-3, 3)
    return np.asarray(moved - moved.mean(), np.float64)


def _first(rows: Floats32, k: int, chance: np.random.Generator) -> Floats32:
    """Points drawn one after the other, with a chance in proportion to the squared distance from those before; of some
    candidates each time the one that leaves least."""
    n = min(len(rows), SEEDING_ROWS * k)
    some = rows if n == len(rows) else rows[np.sort(chance.choice(len(rows), n, replace=False))]
    norms = (some**2).sum(axis=1, dtype=np.float64)
    chosen = [int(chance.integers(n))]
    apart = _apart(some, norms, chosen)[:, 0]
    # What is left between equal rows is rounding.
    floor = 1e-6 * max(float(norms.max()), 1e-12)
    candidates = 2 + int(np.log(k))
    while len(chosen) < k:
        total = np.cumsum(np.where(apart > floor, apart, 0))
        if not total[-1] > 0:
            break
        drawn = np.searchsorted(total, chance.random(candidates) * total[-1], side="right").clip(max=n - 1)
        left = np.minimum(_apart(some, norms, drawn), apart[:, None])
        best = int(left.sum(axis=0).argmin())
        chosen.append(int(drawn[best]))
        apart = left[:, best]
    return some[chosen]


def _apart(
    rows: Floats32, norms: npt.NDArray[np.float64], chosen: Sequence[int] | Ints
) -> npt.NDArray[np.float64]:
    """Squared distances of rows from some of them, shape (n, chosen)."""
    product = (rows @ rows[chosen].T).astype(np.float64)
    return np.maximum(norms[:, None] + norms[chosen][None] - 2 * product, 0)


def _means(rows: Floats32, own: Ints, at: Floats32) -> Floats32:
    """The mean of each point's rows; a point without rows stays where it is."""
    from scipy.sparse import csr_array

    k = len(at)
    member = csr_array((np.ones(len(own), np.float32), (own, np.arange(len(own)))), (k, len(own)))
    held = np.bincount(own, minlength=k)
    mean = (member @ rows) / np.maximum(held, 1)[:, None]
    return np.where(held[:, None] > 0, mean, at).astype(np.float32)


def _refilled(rows: Floats32, own: Ints, at: Floats32, chance: np.random.Generator) -> Floats32:
    """Points without rows are put on rows that are far from theirs."""
    empty = np.flatnonzero(np.bincount(own, minlength=len(at)) == 0)
    if not len(empty):
        return at
    apart = ((rows - at[own]) ** 2).sum(axis=1, dtype=np.float64)
    there = np.flatnonzero(apart > 1e-9 * apart.max(initial=0.0))
    n = min(len(empty), len(there))
    if n:
        share = apart[there] / apart[there].sum()
        at = at.copy()
        at[empty[:n]] = rows[chance.choice(there, n, replace=False, p=share)]
    return at
