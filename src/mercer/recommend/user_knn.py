"""user-knn: what people with a history like this one bought.

User-based collaborative filtering (Resnick et al., CSCW 1994; case amplification: Breese, Heckerman and Kadie, UAI
1998) with recency on both sides, as session-based neighbour methods weigh it (Ludewig and Jannach, User Modeling and
User-Adapted Interaction 2018).

It can't work without the histories of its training data, and what one person bought, in order, is personal data under
any name. So it says `holds_users`: it competes on the leaderboard, a release refuses it, and it keeps people in a
Parquet file with a column `user`, in which `forget` finds and erases them as in any other table.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from mercer.contracts import Dataset, Estimate, Floats32, Interactions, Requests, searched
from mercer.errors import DamagedError
from mercer.recommend.cooccurrence import strongest
from mercer.recommend.history import faded
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.steps import ages
from mercer.recommend.tail import over_tail
from mercer.recommend.weights_file import read_weights, write_weights

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PEOPLE = "people.parquet"
_FAINTEST = 1e-30
"""Weight below which a neighbour's old event is as good as none; float32 holds it."""


class UserKnn(ScoringRanker):
    """score(j) = n_j ** -p * sum over the nearest people v of similarity(v) ** amplify * sum over v's events of j of
    neighbour_decay ** age, where

    similarity(v) = sum over history items i that v has too of decay ** age(i) * n_i ** -a / (n_v + s) ** b.

    n_i is the number of people with item i, n_v that of v's items. A person of the training data is met among the
    neighbours like anybody else: ids are not read. Items of no neighbour follow by popularity.
    """

    name = "user-knn"
    holds_users = True

    class Options(SignalOptions):
        """Options; a step of age is a basket or an instant, or a position where the log has no clock.

        neighbours: people heard. decay: what an event of the request's history keeps of its weight per step of age.
        neighbour_decay: the same for what neighbours bought. item_exponent: a, how little common items tell.
        user_exponent, shrinkage: b and s, how far people with much are marked down, and with little are doubted.
        amplify: how much more the nearest count. popularity_exponent: p, how far common answers are marked down.
        """

        neighbours: int = searched(200, low=20, high=2000, log=True, ge=1, description="people heard")
        decay: float = searched(0.8, low=0.3, high=1.0, gt=0, le=1, description="weight kept per step of age")
        neighbour_decay: float = searched(
            0.9, low=0.3, high=1.0, gt=0, le=1, description="the same for what neighbours bought"
        )
        item_exponent: float = searched(
            0.5, low=0.0, high=1.5, ge=0, le=4, description="how little common items tell"
        )
        user_exponent: float = searched(
            0.5, low=0.0, high=1.0, ge=0, le=2, description="normalisation by a neighbour's number of items"
        )
        shrinkage: float = searched(
            5.0, low=0.5, high=100.0, log=True, ge=0, le=1e6, description="added to that number"
        )
        amplify: float = searched(
            1.0, low=0.5, high=3.0, gt=0, le=10, description="power of a neighbour's similarity"
        )
        popularity_exponent: float = searched(
            0.2, low=0.0, high=0.8, ge=0, le=1, description="how far common answers are marked down"
        )

    options: Options
    _users: tuple[str, ...]
    _n_items: int
    _share: Floats32
    _to_people: csr_array
    _bought: csr_array

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """Everybody's events: indptr, item, weight and age in steps."""
        heard, weights = signals(log, self.options)
        self._users = heard.users.ids
        self._n_items = len(train.vocabulary)
        return {"indptr": heard.indptr, "item": heard.item, "weight": weights, "age": ages(heard)}

    def restored(self) -> None:
        """Two matrices of people and items: who has what, for the similarity, and what their word counts."""
        from scipy.sparse import csr_array

        o, state, n_items = self.options, self.state, self._n_items
        shape = (len(self._users), n_items)
        counts = np.bincount(state["item"], state["weight"], minlength=n_items)
        self._share = (counts / max(counts.max(initial=0.0), 1e-30)).astype(np.float32)
        has = csr_array((np.ones(len(state["item"])), state["item"], state["indptr"]), shape=shape, copy=True)
        has.sum_duplicates()
        n_of_user = np.diff(has.indptr)
        n_of_item = np.maximum(np.bincount(has.indices, minlength=n_items), 1.0)
        norm = np.maximum(n_of_user + o.shrinkage, 1e-12) ** -o.user_exponent
        has.data = np.repeat(norm, n_of_user) * n_of_item[has.indices] ** -o.item_exponent
        self._to_people = has.astype(np.float32).T.tocsr()
        said = state["weight"] * np.maximum(o.neighbour_decay ** state["age"], _FAINTEST)
        said = said * n_of_item[state["item"]] ** -o.popularity_exponent
        self._bought = csr_array((said.astype(np.float32), state["item"], state["indptr"]), shape=shape)

    def score_rows(self, requests: Requests) -> Floats32:
        """What the nearest people bought, the rest of the catalogue below by popularity."""
        similar = faded(requests, self.options, decay=self.options.decay) @ self._to_people
        nearest = strongest(similar, self.options.neighbours)
        nearest.data = nearest.data**self.options.amplify
        known = nearest @ self._bought
        known.data[known.data < 0] = 0
        known.eliminate_zeros()
        return over_tail(known, self._share)

    def save(self, folder: Path) -> None:
        """Write `people.parquet` (user, item code, weight, age), beside the options and the size of the catalogue."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._need_fit()
        sizes = {"n_items": np.array([self._n_items], np.int64)}
        write_weights(folder, self.name, self.options, sizes, catalogue=self._catalogue)
        columns = {name: self.state[name] for name in ("item", "weight", "age")}
        people = np.repeat(np.array(self._users, object), np.diff(self.state["indptr"]))
        pq.write_table(pa.table({"user": pa.array(people, pa.string()), **columns}), folder / PEOPLE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, less whoever was erased since. Raises DamagedError for what is not whole."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        stored = read_weights(folder, cls.name, cls.Options)
        try:
            table = pq.ParquetFile(folder / PEOPLE).read(["user", "item", "weight", "age"])
            n_items = int(stored.arrays["n_items"][0])
            user = table["user"].to_numpy(zero_copy_only=False)
            codes, weight, age = (table[name].to_numpy() for name in ("item", "weight", "age"))
            if len(codes) and not 0 <= codes.min() <= codes.max() < n_items:
                raise ValueError("an item outside the catalogue")
        except (OSError, pa.ArrowException, KeyError, ValueError, IndexError) as fault:
            raise DamagedError(
                f"{folder.name} does not hold a whole {cls.name} ranker.",
                remedy="Run mercer again to fit it.",
            ) from fault
        ranker = cls(stored.options)
        starts = np.flatnonzero(np.r_[True, user[1:] != user[:-1]]) if len(user) else np.zeros(0, np.int64)
        ranker._users, ranker._n_items = tuple(user[starts]), n_items
        ranker.state = {
            "indptr": np.r_[starts, len(user)].astype(np.int64),
            "item": codes,
            "weight": weight,
            "age": age,
        }
        ranker._catalogue = stored.catalogue
        ranker.restored()
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` is expected to take: copies of the log."""
        base = super().estimate(train)
        return Estimate(seconds=2 * base.seconds, peak_mib=3 * base.peak_mib)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "What customers with purchases like yours bought",
                "The more of your items another customer bought, the more their other purchases count.",
            ),
            ("How lately an item was bought", "Your latest purchases and theirs count most."),
            ("How common an item is", "Sharing a rare item with you says more than sharing a common one."),
            ("How often customers bought it", "It orders the items that no customer like you bought."),
        ]
