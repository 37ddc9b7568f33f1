"""How good a codebook is before any model learns it: collisions, balance, reconstruction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mercer.contracts import Codes, Floats32
from mercer.language.semantic_ids.codebook import Codebook


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookReport:
    """n_items, sizes: of what.

    collision_rate: (items - different paths of codes) / items, before the last token; 0 is best. sharing: share of
    items whose codes are another's, too. largest: items of the most crowded path.
    perplexity: of each level, exp of the entropy of its codes, 1 to its size. used: codes that some item has.
    r2: 1 - squared error / squared distance from the mean; 1 is best. cosine: mean over items.
    """

    n_items: int
    sizes: tuple[int, ...]
    collision_rate: float
    sharing: float
    largest: int
    perplexity: tuple[float, ...]
    used: tuple[int, ...]
    r2: float
    cosine: float

    def said(self) -> str:
        """In one line."""
        balance = " / ".join(
            f"{p:.0f} of {size}" for p, size in zip(self.perplexity, self.sizes, strict=True)
        )
        return (
            f"{self.n_items:,} items: {100 * self.collision_rate:.2f} % collisions ({100 * self.sharing:.2f} % of "
            f"items share their codes, {self.largest} at most), perplexity {balance}, R² {self.r2:.3f}, "
            f"cosine {self.cosine:.3f}"
        )


def report(codebook: Codebook, vectors: Floats32) -> CodebookReport:
    """Measure a codebook on vectors, float32, shape (n, d), n of 1 or more."""
    codes = codebook.encode(vectors)
    count = np.unique(codes, axis=0, return_counts=True)[1]
    levels = [np.bincount(codes[:, level], minlength=size) for level, size in enumerate(codebook.sizes)]
    r2, cosine = reconstruction(codebook, vectors, codes)
    return CodebookReport(
        n_items=len(vectors),
        sizes=codebook.sizes,
        collision_rate=1 - len(count) / len(vectors),
        sharing=float(count[count > 1].sum() / len(vectors)),
        largest=int(count.max()),
        perplexity=tuple(_perplexity(held / len(vectors)) for held in levels),
        used=tuple(int((held > 0).sum()) for held in levels),
        r2=r2,
        cosine=cosine,
    )


def reconstruction(
    codebook: Codebook, vectors: Floats32, codes: Codes, mean: Floats32 | None = None
) -> tuple[float, float]:
    """R² and mean cosine of what the codes stand for; R² is 1 where all vectors are equal and met.

    mean: what R² compares with, shape (d,); the vectors' own without it.
    """
    made = codebook.decode(codes).astype(np.float64)
    wanted = vectors.astype(np.float64)
    error = ((wanted - made) ** 2).sum()
    spread = ((wanted - (wanted.mean(axis=0) if mean is None else mean)) ** 2).sum()
    length = np.linalg.norm(made, axis=1) * np.linalg.norm(wanted, axis=1)
    cosine = np.divide((made * wanted).sum(axis=1), length, out=np.ones(len(made)), where=length > 1e-12)
    floor = 1e-9 * max(1.0, float((wanted**2).sum()))
    r2 = 1 - error / spread if spread > floor else float(error <= floor)
    return float(r2), float(cosine.mean())


def _perplexity(share: np.ndarray) -> float:
    held = share[share > 0]
    return float(np.exp(-(held * np.log(held)).sum()))
