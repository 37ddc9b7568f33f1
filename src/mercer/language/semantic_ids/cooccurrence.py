"""What is bought near what: directed, decayed counts of a training log, and the directions that hold most of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Interactions
from mercer.language.semantic_ids.options import VectorOptions

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def near(log: Interactions, options: VectorOptions) -> csr_array:
    """near[i, j], float64, shape (I, I): how often j came at most `window` events after i, a pair g steps apart weighed
    g ** -gap_exponent, plus `backward` times how often before; no diagonal.

    Events of one basket or one instant are one step; pairs within a step count as one step apart.
    """
    from scipy.sparse import coo_array

    n = len(log.items)
    step, user = _steps(log), log.user_of
    total = coo_array((n, n), dtype=np.float64).tocsr()
    for distance in range(1, min(options.window, log.n_events - 1) + 1):
        same = user[distance:] == user[:-distance]
        a, b = log.item[:-distance][same], log.item[distance:][same]
        gap = np.maximum(step[distance:][same] - step[:-distance][same], 1)
        other = a != b
        weight = gap[other].astype(np.float64) ** -options.gap_exponent
        total = total + coo_array((weight, (a[other], b[other])), (n, n)).tocsr()
    return (total + options.backward * total.T).tocsr()


def _steps(log: Interactions) -> npt.NDArray[np.int64]:
    """A number that grows with each event that is not of the basket or instant of the one before it."""
    together = (log.basket[1:] == log.basket[:-1]) & (log.basket[1:] >= 0)
    if log.has_clock:
        together |= log.time[1:] == log.time[:-1]
    return np.concatenate([np.zeros(min(1, log.n_events), np.int64), np.cumsum(~together)])


def directions(matrix: csr_array, width: int, *, seed: int) -> Floats32:
    """Rows of unit length, float32, shape (I, width): for each item what is near it, in the principal directions of
    log(1 + c * near / expected); zeros where nothing is.

    Expected is what two items of so many pairs would have by chance; the logarithm keeps rare pairs from ruling.
    Source: shifted PMI by truncated SVD, Levy and Goldberg, NeurIPS 2014; singular values to the power of 1/2.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    n = matrix.shape[0]
    out = np.zeros((n, width), np.float32)
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    k = min(width, int((rows > 0).sum()) - 1, n - 1)
    if k < 1:
        return out
    held = matrix.tocoo()
    smooth = columns**0.75
    expected = rows[held.row] * smooth[held.col] / smooth.sum()
    lifted = csr_array((np.log1p(held.data / expected), (held.row, held.col)), matrix.shape)
    start = np.random.default_rng(seed).standard_normal(n)
    left, values, _ = svds(lifted, k=k, v0=start)
    order = np.argsort(-values)
    found = left[:, order] * np.sqrt(values[order])
    # A singular vector's sign is chance; the largest number of each is made positive.
    found *= np.sign(found[np.abs(found).argmax(axis=0), np.arange(k)])
    length = np.linalg.norm(found, axis=1, keepdims=True)
    found = np.divide(found, length, out=np.zeros_like(found), where=length > 1e-9)
    found[rows <= 0] = 0
    out[:, :k] = found
    return out
