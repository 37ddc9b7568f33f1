"""What others bought next, counted, inside every step of a path: the decoder learns what counts do not say.

    mass(item) = (1 + SCALE * s(item)) ** neighbours          s: the score of `item-knn`, as in the sequence rankers
    logit(child) = what the decoder says + log(sum of the masses below the child)

With a decoder that says nothing, p(item) is its share of the mass; counts remember rare pairs exactly, which a small
decoder does not. In training a person's own later events are taken out of the counts first (sequence/neighbourhood.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Interactions, Requests
from mercer.language.beams import Prefixes
from mercer.recommend.generative.options import GenerativeOptions
from mercer.recommend.scoring import Arrays
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.sequence.neighbourhood import Neighbourhood, term

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Ints = npt.NDArray[np.int64]

_ROWS = 256
"""Rows of lessons whose terms are made together."""

NO_LESSON = -1

_GREATEST = 60.0
"""Of a mass's logarithm: beyond it, its sums would be no numbers."""


def masses(
    requests: Requests, matrix: csr_array, options: GenerativeOptions, factor: float = 1.0
) -> Floats32:
    """The mass of every item after each history, float32, shape (n, I).

    matrix: what was counted. factor: what the option `neighbours` is multiplied with.
    """
    found = term(requests, matrix, options).tocoo()
    out = np.ones((len(requests), len(requests.items)), np.float32)
    out[found.row, found.col] = np.exp(np.minimum(factor * options.neighbours * found.data, _GREATEST))
    return out


@dataclass(frozen=True, slots=True)
class Counted:
    """The term in training: `Known` of a trainee.

    prefixes: of the catalogue. row_of: int64, shape (N,): the row of each event of the log in `terms_of`, NO_LESSON
    for one before which nothing was known. terms_of: for each level float16, shape (q, tokens), less their greatest.
    """

    prefixes: Prefixes
    row_of: Ints
    terms_of: tuple[npt.NDArray[np.float16], ...]

    @classmethod
    def of(
        cls,
        arrays: Arrays,
        prefixes: Prefixes,
        heard: Interactions,
        weights: npt.NDArray[np.float64],
        options: GenerativeOptions,
        *,
        repeats: bool,
    ) -> Self:
        """arrays: what was counted of `heard`, whose events weigh `weights`."""
        lessons = Lessons.of(
            heard,
            weights,
            window=options.events.window,
            asked="event",
            answers=options.answers,
            repeats=repeats,
        )
        row_of = np.full(heard.n_events, NO_LESSON, np.int64)
        row_of[lessons.event] = np.arange(len(lessons.event))
        terms_of = tuple(np.zeros((len(lessons.event), size), np.float16) for size in prefixes.sizes)
        near = Neighbourhood.of(arrays, heard, weights, options, options.neighbours)
        every = np.arange(prefixes.n_items, dtype=np.int64)
        for at in range(0, len(lessons), _ROWS):
            rows = np.arange(at, min(at + _ROWS, len(lessons)))
            found = near.near(lessons, rows, every)
            question = slice(int(lessons.indptr[rows[0]]), int(lessons.indptr[rows[-1] + 1]))
            more = _more(found.term, found.own, found.row, found.column)
            for level, made in enumerate(_by_level(prefixes, more, lessons.answer[question])):
                terms_of[level][question] = made
        return cls(prefixes, row_of, terms_of)

    def terms(self, level: int, event: Ints, above: npt.NDArray[np.integer]) -> Floats32:
        """As `Known` says; without a lesson, every item has the same mass."""
        row = np.where(event >= 0, self.row_of[event], NO_LESSON)
        known = row >= 0
        out = np.empty((len(row), self.prefixes.sizes[level]), np.float32)
        out[known] = self.terms_of[level][row[known]]
        out[~known] = np.log(np.maximum(self.prefixes.below(level, above[~known]), 1))
        return out


@dataclass(frozen=True, slots=True)
class _More:
    """How much more than 1 items weigh for questions: cells (row, item), which may be there several times."""

    row: Ints
    item: Ints
    mass: npt.NDArray[np.float64]


def _more(found: csr_array, own: Floats32, row: Ints, column: Ints) -> _More:
    """own: the terms that stand in the cells (row, column) instead."""
    coo = found.tocoo()
    was = np.asarray(found[row, column], np.float64) if len(row) else np.zeros(0)
    return _More(
        np.concatenate([coo.row.astype(np.int64), row]),
        np.concatenate([coo.col.astype(np.int64), column]),
        np.concatenate([np.expm1(coo.data.astype(np.float64)), np.expm1(own) - np.expm1(was)]),
    )


def _by_level(prefixes: Prefixes, more: _More, answer: Ints) -> list[Floats32]:
    """Logarithms of the masses below the children of the nodes on the answers' paths, less their greatest."""
    row, item, mass, made = more.row, more.item, more.mass, []
    leaf = prefixes.leaf
    for level, size in enumerate(prefixes.sizes):
        node_of, child_of = prefixes.depths[level].node_of, prefixes.depths[level + 1].node_of
        above = node_of[leaf[answer]]
        on_the_path = node_of[leaf[item]] == above[row]
        row, item, mass = row[on_the_path], item[on_the_path], mass[on_the_path]
        token = prefixes.depths[level + 1].token[child_of[leaf[item]]].astype(np.int64)
        sums = np.bincount(row * size + token, mass, minlength=len(answer) * size).reshape(len(answer), size)
        # Where no child is, 1 stands: what is taken away again by rounding must not make a logarithm of nothing.
        logs = np.log(np.maximum(np.maximum(prefixes.below(level, above), 1) + sums, 1e-6))
        made.append((logs - logs.max(axis=1, keepdims=True)).astype(np.float32))
    return made
