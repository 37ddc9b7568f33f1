"""What others bought next, counted, beside what the network learns: a term of every logit.

    logit(j) = state · vector(j) + neighbours * log(1 + SCALE * s(j))

s is the score of `item-knn`. Counts remember rare pairs exactly, which a small network does not; the network learns the
rest. In training a person's own later events are taken out of the counts first: the answer would be among what was
counted, and the network would learn to lean on a term that says more in training than it ever will in an answer.
What only repeats make, pairs of two later events whose first is an item of the history again, stays in the counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Floats32, Interactions, Requests
from mercer.recommend.history import faded
from mercer.recommend.item_knn import ItemKnn
from mercer.recommend.neighbours import unpacked
from mercer.recommend.scoring import Arrays
from mercer.recommend.sequence.events import Ints
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.signals import SignalOptions
from mercer.recommend.steps import steps

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]

SCALE = 16.0


def counted(train: Dataset, heard: Interactions, options: SignalOptions) -> Arrays:
    """Rows of neighbours as `item-knn` learns them by its defaults, in CSR form: indptr, indices, data."""
    found = ItemKnn(_knn(options)).learn(train, heard, 0)
    return {name: found[name] for name in ("indptr", "indices", "data")}


def _knn(options: SignalOptions) -> ItemKnn.Options:
    return ItemKnn.Options(kinds=options.kinds, kind_weights=options.kind_weights)


def lifted(scores: npt.NDArray[Any], share: float) -> Floats32:
    """The term of the logit for scores of 0 or more."""
    return (share * np.log1p(SCALE * scores)).astype(np.float32)


def term(requests: Requests, matrix: csr_array, options: SignalOptions) -> csr_array:
    """log(1 + SCALE * s) for the whole histories of requests, sparse, shape (n, I). matrix: what `counted` gave."""
    found = faded(requests, options, decay=_knn(options).decay) @ matrix
    found.data = lifted(found.data, 1.0)
    return found


def add_term(scores: Floats32, found: csr_array, share: float) -> None:
    """Add `share` of what `term` gave to logits, shape (n, I), in place."""
    row = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    # A product of sparse matrices holds no cell twice, so plain indexing adds up all there is.
    scores[row, found.indices] += np.float32(share) * found.data


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The term in training: N events of the log that was counted.

    item, step: int64, shape (N,). weight, factor: float64, shape (N,): of the event in a history; and times that of its
    item's row. held: float64, shape (I,): weighted events of each item.
    """

    matrix: csr_array
    options: ItemKnn.Options
    share: float
    item: Ints
    step: Ints
    weight: Floats
    factor: Floats
    held: Floats

    @classmethod
    def of(
        cls, arrays: Arrays, heard: Interactions, weights: Floats, options: SignalOptions, share: float
    ) -> Self:
        """arrays: what `counted` gave for the same events. weights: of the events, shape (N,)."""
        knn = _knn(options)
        held = np.bincount(heard.item, weights, minlength=len(heard.items)).astype(np.float64)
        return cls(
            matrix=unpacked(arrays),
            options=knn,
            share=share,
            item=heard.item.astype(np.int64),
            step=steps(heard),
            weight=weights,
            factor=weights**2 * np.maximum(held[heard.item], 1e-12) ** -knn.row_exponent,
            held=held,
        )

    def near(self, lessons: Lessons, rows: Ints, items: Ints) -> Near:
        """The term for every question of some rows and every item named, their persons' futures left out.

        items: int64, shape (m,), ascending.
        """
        from scipy.sparse import csr_array

        asked = Asked.of(lessons, rows)
        event = asked.history
        age = np.maximum(self.step[asked.at][:, None] - self.step[event], 0)
        faded = np.where(asked.past, self.weight[event] * self.options.decay**age, 0)
        # Only the items of the batch's histories and those asked for are looked at, renumbered.
        met, place = np.unique(self.item[event[asked.past]], return_inverse=True)
        indptr = np.concatenate([[0], np.cumsum(asked.past.sum(axis=1))])
        history = csr_array((faded[asked.past], place, indptr), shape=(len(asked.at), len(met)))
        scores = (history @ self.matrix[met][:, items]).tocsr()
        row, column, own, later = self._own(asked, items)
        corrected = self._corrected(scores, row, items[column], column, own, later)
        # Lifted while it is sparse: most cells are 0, and stay it.
        scores = csr_array(
            (lifted(scores.data, self.share), scores.indices, scores.indptr), shape=scores.shape
        )
        return Near(scores, lifted(corrected, self.share), row, column)

    def _own(self, asked: Asked, items: Ints) -> tuple[Ints, Ints, Floats, Floats]:
        """What questions' own futures put into the scores: question, column, score before the column's normalisation,
        and how much the future counts of the item. Later events are those that answer a question of the same row.
        """
        o = self.options
        question, other = asked.later()
        event = asked.history[question]
        gap = self.step[asked.answer[other]][:, None] - self.step[event]
        apart = asked.answer[other][:, None] - event
        # By gap in steps: within one step, 1 to `window` steps apart, and farther.
        weights = np.array([o.together, *np.arange(1.0, o.window + 1) ** -o.gap_exponent, 0.0])
        pair = weights[np.clip(gap, 0, o.window + 1)]
        same = (gap == 0) & (self.item[asked.answer[other]][:, None] == self.item[event])
        pair[(apart > o.reach) | ~asked.past[question] | same] = 0
        age = np.maximum(self.step[asked.at][:, None] - self.step[asked.history], 0)
        faded = self.factor[asked.history] * o.decay**age
        weight = self.weight[asked.answer[other]]
        own = np.einsum("pl,pl->p", pair, faded[question]) * weight
        cell = question * len(items) + np.searchsorted(items, self.item[asked.answer[other]])
        cells, place = np.unique(cell, return_inverse=True)
        return (
            cells // len(items),
            cells % len(items),
            np.bincount(place, own, minlength=len(cells)).astype(np.float64),
            np.bincount(place, weight, minlength=len(cells)).astype(np.float64),
        )

    def _corrected(
        self, scores: csr_array, row: Ints, item: Ints, column: Ints, own: Floats, later: Floats
    ) -> Floats:
        """Scores of the cells with a future of their own, as they were counted without it."""
        o = self.options
        found = np.asarray(scores[row, column], np.float64) if len(row) else np.zeros(0)
        normal = np.maximum(self.held[item] + o.shrinkage, 1e-12) ** -o.column_exponent
        without = np.maximum(self.held[item] - later + o.shrinkage, 1e-12) ** -o.column_exponent
        # What is left after rounding is no pair.
        left = found / normal - own
        return np.where(left > 1e-4 * own, left, 0) * without


@dataclass(frozen=True, slots=True)
class Near:
    """The term for q questions and m items, made dense for a block of questions at a time.

    term: float32, shape (q, m). own: float32, of the cells (row, column), in the others' stead; rows ascend.
    """

    term: csr_array
    own: Floats32
    row: Ints
    column: Ints

    def block(self, start: int, stop: int) -> Floats32:
        """float32, shape (stop - start, m)."""
        dense: Floats32 = self.term[start:stop].toarray()
        first, last = np.searchsorted(self.row, (start, stop))
        dense[self.row[first:last] - start, self.column[first:last]] = self.own[first:last]
        return dense


@dataclass(frozen=True, slots=True)
class Asked:
    """q questions of some rows of lessons, in their order, with what each may read.

    row: int64, shape (q,). at, answer: event numbers, shape (q,). history: int64, shape (q, L): events of the row, its
    last one repeated. past: bool, shape (q, L): those up to `at`.
    """

    row: Ints
    at: Ints
    answer: Ints
    history: Ints
    past: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, lessons: Lessons, rows: Ints) -> Self:
        """The questions of rows of lessons."""
        question, row = lessons.questions(rows)
        first, length = lessons.spans.first[rows][row], lessons.spans.length[rows][row]
        offset = np.arange(length.max())
        history = first[:, None] + np.minimum(offset, length[:, None] - 1)
        place = lessons.place[question]
        past = offset <= place[:, None]
        return cls(row=row, at=first + place, answer=lessons.event[question], history=history, past=past)

    def later(self) -> tuple[Ints, Ints]:
        """Pairs of questions (one, other) of one row, by number, the other's answer after what the one may read."""
        start = np.searchsorted(self.row, self.row, side="left")
        count = np.searchsorted(self.row, self.row, side="right") - start
        one = np.repeat(np.arange(len(self.row)), count)
        stop = np.cumsum(count)
        other = np.arange(stop[-1]) - np.repeat(stop - count, count) + np.repeat(start, count)
        after = self.answer[other] > self.at[one]
        return one[after], other[after]
