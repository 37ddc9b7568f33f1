"""Held-out positions inside train: what the second stage learns from, without seeing what it is asked.

A lesson is a moment: the log as it was known then, without any event that is a label, and the histories whose
next purchase is asked. Facts are learned anew from that log, so no feature knows its answer. Logs with a clock
are cut at times, as a temporal split cuts them; logs that have only an order are cut in every history, for a
part of the users at a time, so that what is left is nearly as dense as the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mercer.contracts import Context, Dataset, Interactions, Ragged, Requests
from mercer.recommend.popular import DAY_US
from mercer.recommend.two_stage.options import TwoStageOptions

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LEAST_PAST = 0.25
"""Share of the log's time that must lie before a cut: before it there is too little to learn facts from."""


@dataclass(frozen=True, slots=True)
class Question:
    """Histories, and the items of the next purchase of each."""

    requests: Requests
    wanted: Ragged

    def some(self, n: int, rng: np.random.Generator) -> Question:
        """At most n of them, drawn by chance."""
        if len(self.requests) <= n:
            return self
        rows = np.sort(rng.choice(len(self.requests), n, replace=False))
        return Question(self.requests.take(rows), self.wanted.take(rows))


@dataclass(frozen=True, slots=True)
class Lesson:
    """known: the log without what is asked, and as_of its last instant; the questions that it is to answer.

    depth: how far back it lies, from 1: the number of the cut, or the label's place from the end. A deeper lesson knows
    less.
    """

    known: Interactions
    as_of: int
    questions: tuple[Question, ...]
    depth: int


def lessons(train: Dataset, options: TwoStageOptions, seed: int) -> Iterator[Lesson]:
    """The lessons of a training set, most like the test first. An empty log has none."""
    log = train.interactions
    if log is None or not log.n_events:
        return
    share = max(1, options.lists // n_questions(train, options))
    rng = np.random.default_rng([seed, 1])
    for lesson in _by_time(train, log, options) if log.has_clock else _by_place(train, log, options, seed):
        asked = tuple(one.some(share, rng) for one in lesson.questions if len(one.requests))
        if asked:
            yield Lesson(lesson.known, lesson.as_of, asked, lesson.depth)


def n_lessons(train: Dataset, options: TwoStageOptions) -> int:
    """How many lessons there are, at most."""
    if train.interactions is None:
        return 0
    return options.label_cuts if train.interactions.has_clock else options.label_folds * options.label_places


def n_questions(train: Dataset, options: TwoStageOptions) -> int:
    """How many questions they hold, at most."""
    has_clock = train.interactions is not None and train.interactions.has_clock
    return n_lessons(train, options) * (1 + options.label_lags if has_clock else 1)


def greatest_depth(train: Dataset, options: TwoStageOptions) -> int:
    """How far back the deepest lesson lies; 0 where there is none."""
    log = train.interactions
    if log is None or not log.n_events:
        return 0
    if log.has_clock:
        return len(_cuts(train, log, options))
    _, total, _ = _countdown(log, options)
    return int(min(options.label_places, max(0, total.max() - 1)))


def known_to_all(train: Dataset, options: TwoStageOptions, depth: int) -> Dataset:
    """The training set as every lesson down to `depth` (from 1 to the greatest) knows it, without any of their labels.

    What is fitted once for several lessons is fitted on this.
    """
    log = train.interactions
    assert log is not None
    if log.has_clock:
        cut = _cuts(train, log, options)[depth - 1]
        return replace(train, interactions=log.as_of(cut), as_of=cut)
    counts, total, from_end = _countdown(log, options)
    place = np.minimum(depth, total - 1)
    known = _before(log, counts & (from_end == np.repeat(place, log.lengths)))
    return replace(train, interactions=known, as_of=int(known.known_at.max(initial=0)))


def _countdown(log: Interactions, options: TwoStageOptions) -> tuple[Bools, Ints, Ints]:
    """Which events count, shape (N,); how many of each user do, shape (n,); those from each event on, shape (N,)."""
    counts = np.isin(log.kind, log.kind_codes(options.kinds))
    running = np.concatenate([[0], np.cumsum(counts)])
    total = running[log.indptr[1:]] - running[log.indptr[:-1]]
    from_end = np.repeat(running[log.indptr[1:]], log.lengths) - running[:-1]
    return counts, total, from_end


def _before(log: Interactions, label: Bools) -> Interactions:
    """The log without each user's label, where there is one, and all that came after it."""
    limit = np.full(log.n_users, log.n_events)
    limit[log.user_of[label]] = np.flatnonzero(label)
    return log.where(np.arange(log.n_events) < np.repeat(limit, log.lengths))


def _by_place(train: Dataset, log: Interactions, options: TwoStageOptions, seed: int) -> Iterator[Lesson]:
    """Labels are the last, the second last ... event that counts; for each, one part of the users after the other."""
    counts, total, from_end = _countdown(log, options)
    fold = np.random.default_rng([seed, 0]).permutation(log.n_users) % options.label_folds
    for place in range(1, options.label_places + 1):
        for part in range(options.label_folds):
            chosen = (fold == part) & (total > place)
            label = np.repeat(chosen, log.lengths) & counts & (from_end == place)
            known = _before(log, label)
            rows = np.flatnonzero(chosen)
            now = int(known.known_at.max(initial=0))
            asked = _requests(train, known.take(rows), now + 1, options)
            yield Lesson(known, now, (Question(asked, Ragged.from_rows(log.item[label][:, None])),), place)


def _by_time(train: Dataset, log: Interactions, options: TwoStageOptions) -> Iterator[Lesson]:
    """Labels are the first basket (else session, else event) within `label_days` after a moment.

    The moment is the cut itself, and `label_lags` times later: a ranker answers for weeks after its fit, with
    histories that are newer than what it knows of items.
    """
    days = int(options.label_days * DAY_US)
    counts = np.isin(log.kind, log.kind_codes(options.kinds))
    for number, cut in enumerate(_cuts(train, log, options), 1):
        moments = [cut + lag * days for lag in range(min(number, options.label_lags + 1))]
        questions = tuple(_next_baskets(train, log, counts, moment, days, options) for moment in moments)
        yield Lesson(log.as_of(cut), cut, questions, number)


def _cuts(train: Dataset, log: Interactions, options: TwoStageOptions) -> list[int]:
    """The moments at which labels begin, latest first, as far back as there is enough to learn facts from."""
    days = int(options.label_days * DAY_US)
    start, end = int(log.time.min()), min(train.as_of, int(log.known_at.max()))
    cuts = [end - number * days for number in range(1, options.label_cuts + 1)]
    return [cut for cut in cuts if cut >= start + _LEAST_PAST * (end - start)]


def _next_baskets(
    train: Dataset, log: Interactions, counts: Bools, moment: int, days: int, options: TwoStageOptions
) -> Question:
    """Everybody known at the moment who buys within the days after it."""
    past = log.as_of(moment)
    had = past.only(options.kinds)
    later = log.where(counts & (log.time > moment) & (log.time <= moment + days))
    wanted = _first_groups(later, had, repeats=train.repeats)
    rows = np.flatnonzero((had.lengths > 0) & (wanted.lengths > 0))
    return Question(_requests(train, past.take(rows), moment + 1, options), wanted.take(rows))


def _first_groups(later: Interactions, had: Interactions, *, repeats: bool) -> Ragged:
    """The different items of each user's first basket; without repeats less those the user had."""
    held = later.lengths > 0
    head = np.repeat(later.indptr[:-1][held], later.lengths[held])
    first = np.zeros(later.n_events, bool)
    first[later.indptr[:-1][held]] = True
    first |= (later.basket == later.basket[head]) & (later.basket[head] >= 0)
    first |= (later.session == later.session[head]) & (later.session[head] >= 0) & (later.basket[head] < 0)
    n_items = len(later.items)
    cells = np.unique(later.user_of[first] * n_items + later.item[first])
    if not repeats:
        cells = np.setdiff1d(cells, had.user_of * n_items + had.item)
    indptr = np.zeros(later.n_users + 1, np.int64)
    np.cumsum(np.bincount(cells // n_items, minlength=later.n_users), out=indptr[1:])
    return Ragged(indptr, (cells % n_items).astype(np.int32))


def _requests(train: Dataset, history: Interactions, now: int, options: TwoStageOptions) -> Requests:
    n = history.n_users
    return Requests(
        users=(None,) * n,
        history=history,
        time=np.full(n, now),
        context=Context.unknown(n),
        repeats=train.repeats,
        mask_kinds=options.kinds,
    )
