"""The answers of the API, without HTTP: parse and render are the routes' work, everything between is here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

import numpy as np

from mercer.brief import BehaviorTarget
from mercer.contracts import Snapshots
from mercer.data.personal import holds, redact
from mercer.release import Answer, Overlay, Release, unseen
from mercer.serving import hurry as hurried
from mercer.serving.asking import Asker, Asking, asker
from mercer.serving.calls import PredictCall, RecommendCall, SearchCall
from mercer.serving.deadline import DEADLINE_MS, DeadlineReader
from mercer.serving.hurry import DeadlineRanker
from mercer.serving.problems import FieldProblem, ProblemError
from mercer.serving.replies import (
    AnsweredOut,
    Basis,
    PredictReply,
    RankedReply,
    ReasonOut,
    RecommendReply,
    SearchReply,
    ShownItem,
)
from mercer.serving.state import Exposure, OnlineState, PredictionRecord
from mercer.serving.understood import Held, held
from mercer.serving.wire import as_time, micros


def now() -> int:
    """The present moment, microseconds since 1970 in UTC."""
    return micros(datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Made:
    """An answer and what it rests on. notes: what a caller must know. answered: where a fallback stands by."""

    target: str
    who: Asker
    at: int
    overlay: Overlay
    answer: Answer
    notes: list[str]
    answered: AnsweredOut | None


@dataclass(frozen=True, kw_only=True)
class Answering:
    """A release and a state that answer calls and log what they answered. Safe to use from several threads.

    clock: the present, microseconds; asked once for every request. reader: understands queries in time.
    understand_deadline_ms: how long that may take where the call does not say. hurry: asks rankers of targets that have
    a fallback. answer_deadline_ms: how long they may take where the call does not say.
    """

    release: Release
    state: OnlineState
    reader: DeadlineReader = field(default_factory=DeadlineReader)
    understand_deadline_ms: int = DEADLINE_MS
    hurry: DeadlineRanker = field(default_factory=DeadlineRanker)
    answer_deadline_ms: int = hurried.DEADLINE_MS
    clock: Callable[[], int] = field(default=now)

    @cached_property
    def asking(self) -> Asking:
        """Makes what the models read."""
        return Asking(self.release, self.state)

    def rank(self, call: RecommendCall, request_id: str, *, opted_out: bool = False) -> RecommendReply:
        """Answer with items and log the exposure; where the target's own ranker is late, its fallback answers.

        Raises NotFoundError or UsageError for the target, ProblemError for an unknown item and for a deadline where
        no fallback stands by.
        """
        target = self.release.resolve("recommend", call.target)
        if target not in self.release.fallbacks and call.deadline_ms is not None:
            raise ProblemError(
                422,
                "no-fallback",
                f"Target {target!r} has no fallback that could answer after a deadline.",
                remedy="Leave `deadline_ms` out, or name a `fallback` for the target in the brief.",
                fields=[FieldProblem(field="deadline_ms", message="Nothing stands in for this target.")],
            )
        made = self._made(call, target, None, opted_out=opted_out)
        return RecommendReply(**dict(self._ranked(call, made, request_id)), answered=made.answered)

    def search(self, call: SearchCall, request_id: str, *, opted_out: bool = False) -> SearchReply:
        """Answer a query with items, say what was understood of it, and log the exposure.

        Raises NotFoundError or UsageError for the target, ProblemError for an unknown item, for filters that the
        catalogue does not hold, and for fields about understanding where the search understands nothing.
        """
        target = self.release.resolve("search", call.target)
        found = held(call, target, self.release, self.reader, self.understand_deadline_ms)
        reply = self._ranked(call, self._made(call, target, found, opted_out=opted_out), request_id)
        if found is None:
            return SearchReply(**dict(reply))
        ranker = self.release.reader(target)
        return SearchReply(**dict(reply), understood=found.reply(ranker.values, ranker.maker.name))

    def _made(
        self, call: RecommendCall | SearchCall, target: str, found: Held | None, *, opted_out: bool
    ) -> _Made:
        """The answer to a call, under the overlay of now."""
        at = self.clock() if call.time is None else micros(call.time)
        overlay = self.state.catalogue.overlay()
        who = asker(self.state, call.user, call.context, opted_out=opted_out, at=at)
        requests = self.asking.requests(call, who, at)
        understood = None if found is None else (found.understanding,)
        notes = [] if found is None else found.notes()

        def own() -> Answer:
            return self.release.answer(target, requests, call.k, overlay=overlay, understood=understood)

        if target not in self.release.fallbacks:
            return _Made(target, who, at, overlay, own(), notes, None)
        given = call.deadline_ms if isinstance(call, RecommendCall) else None
        deadline_ms = self.answer_deadline_ms if given is None else given
        done = self.hurry.answer(
            target,
            own,
            lambda: self.release.stand_in(target, requests, call.k, overlay=overlay),
            deadline_ms / 1000,
        )
        entries = self.release.manifest
        by = (entries.targets if done.how == "ranker" else entries.fallbacks)[target].model
        answered = AnsweredOut(
            by=by, how=done.how, deadline_ms=deadline_ms, milliseconds=round(1e3 * done.seconds, 3)
        )
        return _Made(target, who, at, overlay, done.answer, [*notes, *_stood_in(answered)], answered)

    def _ranked(self, call: RecommendCall | SearchCall, made: _Made, request_id: str) -> RankedReply:
        """The reply to a call, its exposure logged."""
        basis = _basis(made.who, made.answer)
        reply = RankedReply(
            request_id=request_id,
            target=made.target,
            policy=made.answer.policy,
            release=self.release.hash,
            catalogue_version=made.overlay.version,
            time=as_time(made.at),
            basis=basis,
            items=self._shown(made.answer, made.overlay),
            notes=[*_notes(call, basis), *made.notes],
        )
        self._log(call, made.who, made.at, made.answer, reply)
        return reply

    def predict(self, call: PredictCall, request_id: str, *, opted_out: bool = False) -> PredictReply:
        """Answer with a value and its interval, and log it.

        Raises NotFoundError or UsageError for the target; ProblemError for a person who objected, for one of
        whom nothing is known, and for an unknown item.
        """
        target = self.release.resolve("behavior", call.target)
        spec = cast(BehaviorTarget, self.release.spec(target))
        flat = target in self.release.columns
        if flat and call.columns is None:
            raise ProblemError(
                422,
                "invalid-request",
                f"Target {target!r} predicts from flat columns, and `columns` is not given.",
                remedy="Send them; GET /v1/release tells which.",
            )
        if not flat and call.columns is not None:
            raise ProblemError(
                422,
                "invalid-request",
                f"Target {target!r} predicts from a history and reads no `columns`.",
                remedy="Give `user` or `history`.",
            )
        if not flat and call.user is None and call.history is None:
            raise ProblemError(
                422, "invalid-request", "Neither `user` nor `history` is given.", remedy="Give one of them."
            )
        at = self.clock() if call.time is None else micros(call.time)
        who = asker(self.state, call.user, call.context, opted_out=opted_out, at=at)
        if who.is_hidden and spec.effect == "none":
            raise ProblemError(
                403,
                "profiling-refused",
                "This person is not to be profiled; no prediction was made.",
                remedy="Treat the person as you treat a stranger.",
            )
        snapshots = self.asking.flat(call, target, who) if flat else self.asking.snapshots(call, who, at)
        if not flat and call.history is None and not snapshots.history.n_events:
            raise ProblemError(
                404,
                "unknown-user",
                "Nothing is known of this user at this time.",
                remedy="Send the user's events to POST /v1/events, or give `history`.",
            )
        reply = self._predicted(target, spec, snapshots, call.reasons, request_id, at)
        self._log_prediction(who, at, reply)
        return reply

    def _predicted(
        self,
        target: str,
        spec: BehaviorTarget,
        snapshots: Snapshots,
        n_reasons: int,
        request_id: str,
        at: int,
    ) -> PredictReply:
        made = self.release.predict(target, snapshots)
        reasons = None
        if n_reasons:
            reasons = [
                ReasonOut(
                    feature=reason.feature,
                    meaning=reason.meaning,
                    value=_finite(reason.value),
                    contribution=float(reason.contribution),
                )
                for reason in self.release.explain(target, snapshots, n_reasons)[0]
            ]
        return PredictReply(
            request_id=request_id,
            target=target,
            policy=self.release.manifest.targets[target].policy,
            release=self.release.hash,
            as_of=as_time(at),
            kind=spec.kind,
            value=float(made.value[0]),
            low=float(made.low[0]),
            high=float(made.high[0]),
            horizon_days=spec.horizon_days if snapshots.columns is None else None,
            effect=spec.effect,
            reasons=reasons,
            notes=self._unseen(target, snapshots),
        )

    def _unseen(self, target: str, snapshots: Snapshots) -> list[str]:
        if snapshots.columns is None:
            return []
        return [
            f"{name}: a category that the model does not know counts as missing."
            for name in unseen(snapshots.columns, self.release.columns[target])
        ]

    def _shown(self, answer: Answer, overlay: Overlay) -> list[ShownItem]:
        codes, scores = answer.rankings.items[0], answer.rankings.scores[0]
        shown = [
            self.show(int(code), position, overlay, score=_finite(score), propensity=float(propensity))
            for position, (code, score, propensity) in enumerate(
                zip(codes, scores, answer.propensity[0], strict=True), start=1
            )
            if code >= 0
        ]
        if answer.meets is None:
            return shown
        # Empty places are the last ones.
        return [
            one.model_copy(update={"meets": bool(met)})
            for one, met in zip(shown, answer.meets[0], strict=False)
        ]

    def show(
        self, code: int, position: int, overlay: Overlay, *, score: float | None, propensity: float = 1.0
    ) -> ShownItem:
        """What a person sees of an item, the overlay's title and price before the release's."""
        item, title, price, currency = self._faces[code]
        price = overlay.price.get(item, price)
        return ShownItem(
            position=position,
            item=item,
            title=overlay.title.get(item, title),
            score=score,
            price_minor=price if price >= 0 else None,
            currency=currency or None,
            propensity=propensity,
        )

    @cached_property
    def _faces(self) -> list[tuple[str, str, int, str]]:
        items = self.release.items
        prices = items["price_minor"].fillna(-1).astype("int64").tolist()
        texts = [items[name].fillna("").astype(str).tolist() for name in ("item", "title", "currency")]
        return list(zip(texts[0], texts[1], prices, texts[2], strict=True))

    def _log(
        self, call: RecommendCall | SearchCall, who: Asker, at: int, answer: Answer, reply: RankedReply
    ) -> None:
        self.state.exposures.name_items(self.release.hash, self.release.vocabulary.ids)
        self.state.exposures.record(
            Exposure(
                request=reply.request_id,
                user=who.user,
                time=at,
                query=_loggable(call.query) if isinstance(call, SearchCall) else None,
                session=call.session,
                policy=reply.policy,
                release=reply.release,
                context={**_context(who), "target": reply.target, "k": call.k, "basis": reply.basis},
                eligible=answer.requests.eligible()[0],
                items=[shown.item for shown in reply.items],
                propensity=[shown.propensity for shown in reply.items],
            )
        )

    def _log_prediction(self, who: Asker, at: int, reply: PredictReply) -> None:
        self.state.exposures.record_prediction(
            PredictionRecord(
                request=reply.request_id,
                user=who.user,
                time=self.clock(),
                as_of=at,
                policy=reply.policy,
                release=reply.release,
                context={**_context(who), "target": reply.target},
                value=reply.value,
                low=reply.low,
                high=reply.high,
                reasons=None if reply.reasons is None else [reason.model_dump() for reason in reply.reasons],
            )
        )


def _loggable(query: str) -> str:
    """The query as it may be kept: the same redactions as at ingest; what may hold a card number is not kept."""
    return "‹card›" if holds(query, "card") else redact(query, "email", "phone")


def _basis(who: Asker, answer: Answer) -> Basis:
    if who.is_hidden:
        return "not-profiled"
    return "history" if answer.requests.history.n_events else "stranger"


def _notes(call: RecommendCall | SearchCall, basis: Basis) -> list[str]:
    if basis == "stranger" and call.user is not None and call.history is None:
        return ["Nothing is known of this user: answered as for a stranger."]
    if basis == "not-profiled":
        return ["The person is not to be profiled: the history was not used."]
    return []


def _stood_in(answered: AnsweredOut) -> list[str]:
    """What a caller must know of a fallback's answer."""
    if answered.how == "late":
        return [
            f"The target's own ranker took longer than {answered.deadline_ms} ms: {answered.by} answered."
        ]
    if answered.how == "failed":
        return [f"The target's own ranker failed: {answered.by} answered."]
    return []


def _context(who: Asker) -> Mapping[str, Any]:
    """What the log keeps of the context: a band instead of the age."""
    context = who.context
    signals = [
        name
        for name, sent in (
            ("opt-out", context.opt_out),
            ("objection", context.objected),
            ("not-profiled", context.not_profiled),
        )
        if sent[0]
    ]
    return {
        "jurisdiction": context.jurisdiction[0],
        "age_band": _band(int(context.age[0])),
        "signals": signals,
    }


def _band(age: int) -> str:
    if age < 0:
        return "unknown"
    for limit, name in ((13, "under 13"), (16, "13-15"), (18, "16-17")):
        if age < limit:
            return name
    return "18 or over"


def _finite(value: float | np.floating[Any]) -> float | None:
    return float(value) if math.isfinite(value) else None
