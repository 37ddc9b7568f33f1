"""Held-out positions inside train: what the second stage learns from, without seeing what it is asked.

A lesson is a moment: the log as it was known then, without any event that is a label, and the histories whose
next purchase is asked. Facts are learned anew from that log, so no feature knows its answer. Logs with a clock
are cut at times, as a temporal split cuts them; logs that have only an order are cut in every history, for a
part of the users at a time, so that what is left is nearly as dense as the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts import Context, Dataset, Interactions, Ragged, Requests
from mercer.recommend.popular import DAY_US
from mercer.recommend.two_stage.options import TwoStageOptions

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LEAST_PAST = 0.25
"""Share of the log's time that must lie before a cut: before it there is too little to learn facts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """known: the log without what is asked. as_of: its last instant. requests, wanted: who is asked what."""

    known: Interactions
    as_of: int
    requests: Requests
    wanted: Ragged

    def some(self, n: int, rng: np.random.Generator) -> Lesson:
        """At most n of the requests, drawn by chance."""
        if len(self.requests) <= n:
            return self
        rows = np.sort(rng.choice(len(self.requests), n, replace=False))
        return Lesson(
            known=self.known,
            as_of=self.as_of,
            requests=self.requests.take(rows),
            wanted=self.wanted.take(rows),
        )


def lessons(train: Dataset, options: TwoStageOptions, seed: int) -> Iterator[Lesson]:
    """The lessons of a training set, most like the test first. An empty log has none."""
    log = train.interactions
    if log is None or not log.n_events:
        return
    share = max(1, options.lists // _n_lessons(log, options))
    rng = np.random.default_rng([seed, 1])
    for lesson in _by_time(train, log, options) if log.has_clock else _by_place(train, log, options, seed):
        if len(lesson.requests):
            yield lesson.some(share, rng)


def n_lessons(train: Dataset, options: TwoStageOptions) -> int:
    """How many lessons there are, at most."""
    return 0 if train.interactions is None else _n_lessons(train.interactions, options)


def _n_lessons(log: Interactions, options: TwoStageOptions) -> int:
    return options.label_cuts if log.has_clock else options.label_folds * options.label_places


def _by_place(train: Dataset, log: Interactions, options: TwoStageOptions, seed: int) -> Iterator[Lesson]:
    """Labels are the last, the second last ... event that counts; for each, one part of the users after the other."""
    counts = np.isin(log.kind, log.kind_codes(options.kinds))
    running = np.concatenate([[0], np.cumsum(counts)])
    total = running[log.indptr[1:]] - running[log.indptr[:-1]]
    from_end = np.repeat(running[log.indptr[1:]], log.lengths) - running[:-1]
    fold = np.random.default_rng([seed, 0]).permutation(log.n_users) % options.label_folds
    for place in range(1, options.label_places + 1):
        for part in range(options.label_folds):
            asked = (fold == part) & (total > place)
            label = np.repeat(asked, log.lengths) & counts & (from_end == place)
            limit = np.full(log.n_users, log.n_events)
            limit[log.user_of[label]] = np.flatnonzero(label)
            known = log.where(np.arange(log.n_events) < np.repeat(limit, log.lengths))
            rows = np.flatnonzero(asked)
            now = int(known.known_at.max(initial=0))
            wanted = Ragged.from_rows(log.item[label][:, None])
            yield _lesson(train, known, now, known.take(rows), wanted, options)


def _by_time(train: Dataset, log: Interactions, options: TwoStageOptions) -> Iterator[Lesson]:
    """Labels are the first basket (else session, else event) within `label_days` after each cut."""
    days = int(options.label_days * DAY_US)
    counts = np.isin(log.kind, log.kind_codes(options.kinds))
    start, end = int(log.time.min()), min(train.as_of, int(log.known_at.max()))
    for number in range(1, options.label_cuts + 1):
        cut = end - number * days
        if cut < start + _LEAST_PAST * (end - start):
            return
        known = log.as_of(cut)
        later = log.where(counts & (log.time > cut) & (log.time <= cut + days))
        had = known.only(options.kinds)
        wanted = _first_groups(later, had, repeats=train.repeats)
        rows = np.flatnonzero((had.lengths > 0) & (wanted.lengths > 0))
        yield _lesson(train, known, cut, known.take(rows), wanted.take(rows), options)


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


def _lesson(
    train: Dataset,
    known: Interactions,
    as_of: int,
    history: Interactions,
    wanted: Ragged,
    options: TwoStageOptions,
) -> Lesson:
    n = history.n_users
    requests = Requests(
        users=(None,) * n,
        history=history,
        time=np.full(n, as_of + 1),
        context=Context.unknown(n),
        repeats=train.repeats,
        mask_kinds=options.kinds,
    )
    return Lesson(known=known, as_of=as_of, requests=requests, wanted=wanted)
