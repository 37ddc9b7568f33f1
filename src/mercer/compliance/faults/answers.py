"""Candidate releases that really misbehave: each wraps the true one and breaks one promise of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from mercer.brief import BehaviorTarget
from mercer.compliance.evidence import Evidence
from mercer.contracts import Candidate, Predictions, Rankings, Reason, Requests, Snapshots
from mercer.errors import UnsupportedError

Signal = Literal["objected", "opt_out", "not_profiled"]
Effect = Literal["credit", "significant"]
Make = Callable[[Evidence], Evidence]
Parameters = list[tuple[str, str]]


class Wrapped:
    """A candidate that hands everything on to another one."""

    def __init__(self, inner: Candidate) -> None:
        self.inner = inner

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        """As the wrapped candidate."""
        return self.inner.recommend(target, requests, k)

    def search(self, target: str, requests: Requests, k: int) -> Rankings:
        """As the wrapped candidate."""
        return self.inner.search(target, requests, k)

    def predict(self, target: str, snapshots: Snapshots) -> Predictions:
        """As the wrapped candidate."""
        return self.inner.predict(target, snapshots)

    def explain(self, target: str, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """As the wrapped candidate."""
        return self.inner.explain(target, snapshots, n)

    def disclosure(self, target: str) -> list[tuple[str, str]]:
        """As the wrapped candidate."""
        return self.inner.disclosure(target)


class _IgnoresSignal(Wrapped):
    """Answers as if the signal had never been sent, and puts an item first that only the history suggests."""

    def __init__(self, inner: Candidate, signal: Signal) -> None:
        super().__init__(inner)
        self.signal = signal

    def _profiled(self, answer: Rankings, requests: Requests) -> Rankings:
        """Bring forward a place that the history chooses, so that a ranker without profiles profiles too."""
        items, scores = answer.items.copy(), answer.scores.copy()
        sent = np.asarray(getattr(requests.context, self.signal), bool)
        for row in np.flatnonzero(sent & (requests.history.lengths > 0)):
            filled = int((items[row] >= 0).sum())
            if filled > 1:
                place = 1 + int(requests.history.lengths[row]) % (filled - 1)
                order = [place, *(other for other in range(items.shape[1]) if other != place)]
                items[row], scores[row] = items[row][order], scores[row][order]
        return Rankings(items, scores)

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        """A profiled answer in spite of the signal."""
        return self._profiled(self.inner.recommend(target, requests, k), requests)

    def search(self, target: str, requests: Requests, k: int) -> Rankings:
        """A profiled answer in spite of the signal."""
        return self._profiled(self.inner.search(target, requests, k), requests)


class _Ageless(Wrapped):
    """Takes everybody for old enough."""

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        """As to somebody of 99."""
        return self.inner.recommend(target, _aged(requests), k)

    def search(self, target: str, requests: Requests, k: int) -> Rankings:
        """As to somebody of 99."""
        return self.inner.search(target, _aged(requests), k)


def _aged(requests: Requests) -> Requests:
    return replace(requests, context=replace(requests.context, age=np.full(len(requests), 99, np.int16)))


class _OtherReasons(Wrapped):
    """Changes the reasons of every prediction."""

    def __init__(self, inner: Candidate, change: Callable[[Reason], Reason | None]) -> None:
        super().__init__(inner)
        self.change = change

    def explain(self, target: str, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """Reasons that are changed, or left out."""
        told = self.inner.explain(target, snapshots, n)
        return [[new for old in row if (new := self.change(old)) is not None] for row in told]


class _OtherDisclosure(Wrapped):
    """Publishes something else than the model's parameters."""

    def __init__(self, inner: Candidate, change: Callable[[Parameters], Parameters]) -> None:
        super().__init__(inner)
        self.change = change

    def disclosure(self, target: str) -> list[tuple[str, str]]:
        """A disclosure that drifted from the model."""
        return self.change(self.inner.disclosure(target))


def _candidate(evidence: Evidence) -> Candidate:
    if evidence.candidate is None:
        raise UnsupportedError("This fault needs a candidate release.", remedy="Run up to the gates.")
    return evidence.candidate


def _ranking(evidence: Evidence) -> Candidate:
    if not evidence.ranking_targets:
        raise UnsupportedError("This fault needs a target that ranks.", remedy="Add a recommend target.")
    return _candidate(evidence)


def ignoring(signal: Signal) -> Make:
    """A release that profiles in spite of the signal."""

    def make(evidence: Evidence) -> Evidence:
        return replace(evidence, candidate=_IgnoresSignal(_ranking(evidence), signal))

    return make


def ageless(evidence: Evidence) -> Evidence:
    """A release that shows age-limited goods to all; where none is limited, the best seller becomes so."""
    planted = replace(evidence, candidate=_Ageless(_ranking(evidence)))
    items = planted.items
    if len(items) and not (items["min_age"].fillna(0) > 0).any():
        # The release was built before: its catalogue does not know of the new limit.
        counts = np.zeros(len(items), np.int64)
        if planted.interactions is not None:
            counts += np.bincount(planted.interactions.item, minlength=len(items))
        limited = items.assign(min_age=np.where(np.arange(len(items)) == int(counts.argmax()), 18, 0))
        tables = {**planted.tables, "items": limited}
        planted = replace(planted, items=limited, tables=tables)
    return planted


def deciding(evidence: Evidence, effect: Effect, capacity: int = 25) -> tuple[str, Evidence]:
    """A target that predicts now decides about people with this effect; its name and the evidence.

    Raises UnsupportedError when no target has scored predictions.
    """
    for name, target in evidence.behavior_targets.items():
        if name in evidence.predictions and name in evidence.snapshots:
            changed: BehaviorTarget = target.model_copy(
                update={"effect": effect, "capacity_per_day": capacity}
            )
            targets = {**evidence.brief.targets, name: changed}
            brief = evidence.brief.model_copy(update={"targets": targets})
            return name, replace(evidence, brief=brief)
    raise UnsupportedError("This fault needs a target that predicts.", remedy="Add a behavior target.")


def _with_reasons(evidence: Evidence, effect: Effect, change: Callable[[Reason], Reason | None]) -> Evidence:
    _, planted = deciding(evidence, effect)
    return replace(planted, candidate=_OtherReasons(_candidate(planted), change))


def without_reasons(effect: Effect) -> Make:
    """A release that decides and gives no reasons."""
    return lambda evidence: _with_reasons(evidence, effect, lambda reason: None)  # noqa: ARG005


def turned_reasons(effect: Effect) -> Make:
    """A release whose reasons point the other way."""
    return lambda evidence: _with_reasons(
        evidence, effect, lambda reason: replace(reason, contribution=-reason.contribution)
    )


def false_values(effect: Effect) -> Make:
    """A release whose reasons name values that the model never read."""
    return lambda evidence: _with_reasons(
        evidence, effect, lambda reason: replace(reason, value=2 * reason.value + 1)
    )


def no_person(evidence: Evidence) -> Evidence:
    """A release that decides about credit while nobody ever looks at a case."""
    return deciding(evidence, "credit", capacity=0)[1]


def invented_parameter(evidence: Evidence) -> Evidence:
    """The disclosure's first parameter is not the model's."""
    invented = ("how new the item is", "new items come first")
    return replace(evidence, candidate=_OtherDisclosure(_ranking(evidence), lambda own: [invented, *own[1:]]))


def silent(evidence: Evidence) -> Evidence:
    """Nothing is published."""
    return replace(evidence, candidate=_OtherDisclosure(_ranking(evidence), lambda own: own[:0]))


def reasonless(evidence: Evidence) -> Evidence:
    """Parameters are published without saying why they matter."""
    return replace(
        evidence, candidate=_OtherDisclosure(_ranking(evidence), lambda own: [(name, "") for name, _ in own])
    )
