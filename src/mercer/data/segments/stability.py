"""How many groups there are: as many as resampling finds again, and often none.

Two models are fitted on two random halves of the customers and both sort all of them; where the groups are real, they
agree (adjusted Rand index). The same on one normal cloud of the same spread and correlations, which has no groups,
says how much agreement shape alone brings (Ben-Hur, Elisseeff and Guyon, PSB 2002; Hennig, CSDA 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST = 6
PAIRS = 8
STABLE = 0.8
"""Mean agreement from which groups count as found again (Hennig's threshold for Jaccard is .75 to .85)."""
LEAD = 0.1
"""... and by how much it must exceed that of the cloud."""
NEAR = 0.1
"""More groups say more: the largest number within this of the best agreement is taken."""
SMALLEST_SHARE = 0.02
_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Choice:
    """How many groups, whether they lead the cloud's (else they cut a continuum where it is handy), and how sure:
    `agreement` and `cloud` by number of groups tried, in order from 2."""

    groups: int
    natural: bool
    agreement: tuple[float, ...]
    cloud: tuple[float, ...]


def choose(points: Floats, *, most: int = MOST, seed: int = 0) -> Choice:
    """The largest number of groups whose agreement is STABLE and NEAR the best, none smaller than SMALLEST_SHARE;
    those that lead the cloud's by LEAD come first. 1 where there is none. points: shape (n, D)."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # Thousands of fits to a few columns: a second thread costs more in waiting than it saves.
    with threadpool_limits(1):
        return _choose(points, most, seed)


def _choose(points: Floats, most: int, seed: int) -> Choice:
    if not points.shape[1]:
        return Choice(1, False, (), ())
    rng = np.random.default_rng(seed)
    sample = points if len(points) <= _ROWS else points[np.sort(rng.permutation(len(points))[:_ROWS])]
    agreement: list[float] = []
    cloud: list[float] = []
    shapeless = rng.multivariate_normal(
        sample.mean(axis=0), np.atleast_2d(np.cov(sample.T)), len(sample), method="eigh"
    )
    stable: list[int] = []
    for k in range(2, most + 1):
        if len(sample) < 20 * k or len(np.unique(sample, axis=0)) < 2 * k:
            break
        agreement.append(_agreement(sample, k, rng))
        cloud.append(_agreement(shapeless, k, rng))
        smallest = np.bincount(group(sample, k, seed), minlength=k).min() / len(sample)
        if agreement[-1] >= STABLE and smallest >= SMALLEST_SHARE:
            stable.append(k)
    natural = [k for k in stable if agreement[k - 2] - cloud[k - 2] >= LEAD]
    good = natural or stable
    surest = max((agreement[k - 2] for k in good), default=0.0)
    best = max((k for k in good if agreement[k - 2] >= surest - NEAR), default=1)
    return Choice(best, bool(natural), tuple(agreement), tuple(cloud))


def group(points: Floats, k: int, seed: int = 0) -> Ints:
    """Group 0..k-1 of each point, the largest group first, shape (n,)."""
    if k == 1:
        return np.zeros(len(points), np.int64)
    labels = _model(points, k, seed).predict(points)
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    place = np.empty(k, np.int64)
    place[order] = np.arange(k)
    numbered: Ints = place[labels]
    return numbered


def _agreement(points: Floats, k: int, rng: np.random.Generator) -> float:
    from sklearn.metrics import adjusted_rand_score

    found = []
    for _ in range(PAIRS):
        order = rng.permutation(len(points))
        halves = order[: len(order) // 2], order[len(order) // 2 :]
        first, second = (_model(points[half], k, int(rng.integers(2**31))).predict(points) for half in halves)
        found.append(adjusted_rand_score(first, second))
    return float(np.mean(found))


def _model(points: Floats, k: int, seed: int):  # type: ignore[no-untyped-def]  # scikit-learn has no types
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=2, random_state=seed).fit(points)
