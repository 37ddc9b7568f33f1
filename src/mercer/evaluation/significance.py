"""Tests of paired differences, and corrections for making many of them.

Sources: Fisher 1935 (sign flips); Smucker et al., CIKM 2007 (randomisation in retrieval); Holm, SJS 1979;
Benjamini and Hochberg, JRSS-B 1995.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mercer.evaluation.measure import Floats

PERMUTATIONS = 9999
_CELLS = 4_000_000


def sign_flip_p(differences: Floats, *, n: int = PERMUTATIONS, seed: int = 0) -> float:
    """Two-sided p of a paired permutation test.

    differences: summed differences of the clusters, shape (C,); each sign is flipped by a fair coin. The
    observed assignment counts as one, so p is at least 1 / (n + 1). All zero gives 1.
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    scale = float(np.abs(moved).sum())
    observed = abs(float(moved.sum())) - 1e-12 * scale
    rng = np.random.default_rng(seed)
    # Whole words of random bits a block, so that the block's size changes no draw.
    size = max(32, _CELLS // len(moved) // 32 * 32)
    as_extreme = 0
    for at in range(0, n, size):
        b = min(size, n - at)
        bits = np.unpackbits(
            np.frombuffer(rng.bytes((b * len(moved) + 7) // 8), np.uint8), count=b * len(moved)
        )
        # sum of d with signs (2 bit - 1), without making the signs.
        sums = 2 * (bits.reshape(b, len(moved)).astype(np.float64) @ moved) - moved.sum()
        as_extreme += int(np.count_nonzero(np.abs(sums) >= observed))
    return (as_extreme + 1) / (n + 1)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values that keep the chance of any false claim under alpha; None stays None."""
    adjusted: list[float | None] = [None] * len(p)
    tested = sorted((value, at) for at, value in enumerate(p) if value is not None)
    running = 0.0
    for place, (value, at) in enumerate(tested):
        running = max(running, min(1.0, (len(tested) - place) * value))
        adjusted[at] = running
    return adjusted


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values that keep the expected share of false claims under alpha; None stays None."""
    adjusted: list[float | None] = [None] * len(p)
    tested = sorted((value, at) for at, value in enumerate(p) if value is not None)
    running = 1.0
    for place in range(len(tested), 0, -1):
        value, at = tested[place - 1]
        running = min(running, value * len(tested) / place)
        adjusted[at] = running
    return adjusted
