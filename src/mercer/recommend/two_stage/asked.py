"""All that a feature may read, and the few ways in which features are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mercer.recommend.two_stage.candidates import Pool
from mercer.recommend.two_stage.histories import Histories
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.sparse import places
from mercer.recommend.two_stage.spreads import Local, Spreads

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Asked:
    """The candidates, who asks, what spreads from the histories, what is known of items.

    local: what spreads, at the candidates alone.

    repeats: whether an item of the history may be the answer. sequence: scores of a sequence ranker for the whole
    catalogue, shape (n, I), where there is one.
    """

    pool: Pool
    h: Histories
    spreads: Spreads
    local: Local
    known: Knowledge
    repeats: bool
    sequence: npt.NDArray[np.float32] | None = None

    def at(self, dense: Floats) -> Floats:
        """Values of a dense (n, I) score at the candidates, shape (m,)."""
        return dense.ravel()[self.pool.cell]

    def within_list(self, name: str, values: Floats) -> Columns:
        """`name_share`: over the greatest value of the request; `name_place`: place in its list, 0 for the best."""
        greatest = np.zeros(self.pool.n)
        np.maximum.at(greatest, self.pool.row, values)
        share = values / np.maximum(greatest, 1e-300)[self.pool.row]
        return {f"{name}_share": share, f"{name}_place": places(self.pool.row, values)}

    def unknown(self) -> Floats:
        """A column of which nothing is known."""
        return np.full(len(self.pool), np.nan)

    @cached_property
    def titles(self) -> npt.NDArray[np.float32]:
        """Vectors of the candidates' titles, shape (m, d)."""
        return self.known.vectors[self.pool.item]

    @cached_property
    def length(self) -> Ints:
        """Events of each history, shape (n,)."""
        return np.bincount(self.h.row, minlength=self.pool.n)

    @cached_property
    def steps(self) -> Ints:
        """Steps of each history, shape (n,)."""
        found = np.zeros(self.pool.n, np.int64)
        np.maximum.at(found, self.h.row, self.h.age + 1)
        return found

    @cached_property
    def recent_weight(self) -> Floats:
        """Decayed weight of the last events one by one, 0 where there are fewer, shape (n, RECENT)."""
        return np.where(self.h.recent >= 0, 0.75 ** np.minimum(self.h.recent_age, 60), 0.0)
