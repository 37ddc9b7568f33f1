"""Ask the candidate release again: the same people under a signal, and as strangers without a history.

What is compared is what a client would receive, through the code path that serves it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import SearchTarget
from mercer.compliance.evidence import Evidence, RankingTarget
from mercer.contracts import UNKNOWN_AGE, Context, Interactions, Rankings, Requests, Vocabulary
from mercer.errors import NotFoundError

K = 10
SAMPLE = 200
"""People asked for in one replay."""

Rows = npt.NDArray[np.int64]


def history_of(evidence: Evidence, rows: Rows) -> Interactions:
    """Histories of the user rows named; strangers' empty ones where the run has no events."""
    if evidence.interactions is None:
        return Interactions.empty(Vocabulary(map(str, range(len(rows)))), evidence.vocabulary)
    return evidence.interactions.take(rows)


def people_with_history(evidence: Evidence) -> Rows:
    """Rows of `interactions` that hold any event, in order."""
    if evidence.interactions is None:
        return np.zeros(0, np.int64)
    return np.flatnonzero(evidence.interactions.lengths > 0).astype(np.int64)


def spread(rows: Rows, most: int = SAMPLE) -> Rows:
    """At most `most` of the rows, evenly over all of them, so that the choice needs no randomness."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def context_of(evidence: Evidence, users: list[str]) -> Context:
    """Jurisdiction and age of people as the users table has them, no signal set."""
    unknown = Context.unknown(len(users))
    table = evidence.table("users")
    if table is None:
        return unknown
    known = table.drop_duplicates("user").set_index("user").reindex(users)
    jurisdiction = known["jurisdiction"] if "jurisdiction" in known else pd.Series("", index=known.index)
    age = known["age"] if "age" in known else pd.Series(UNKNOWN_AGE, index=known.index)
    years = pd.to_numeric(age, errors="coerce").fillna(UNKNOWN_AGE).clip(UNKNOWN_AGE, 150)
    return replace(
        unknown,
        jurisdiction=tuple("" if pd.isna(code) else str(code) for code in jurisdiction),
        age=years.to_numpy(np.int16),
    )


def queries_of(evidence: Evidence, n: int) -> list[str]:
    """n search texts from the judgments or the request log, repeated in order; empty when there is none."""
    for name in ("judgments", "requests"):
        table = evidence.table(name)
        if table is not None and "query" in table:
            texts = sorted({str(text) for text in table["query"].dropna() if str(text).strip()})
            if texts:
                chosen = [texts[i] for i in spread(np.arange(len(texts)), n)]
                return [chosen[i % len(chosen)] for i in range(n)]
    return []


def requests_of(evidence: Evidence, target: RankingTarget, rows: Rows) -> Requests | None:
    """Requests of these people at `now`; None for a search target without any known query."""
    history = history_of(evidence, rows)
    users = list(history.users.ids)
    query = None
    if isinstance(target, SearchTarget):
        texts = queries_of(evidence, len(rows))
        if not texts:
            return None
        query = tuple(texts)
    return Requests(
        users=tuple(users),
        history=history,
        time=np.full(len(rows), evidence.now, np.int64),
        context=context_of(evidence, users),
        repeats=getattr(target, "repeats", True),
        mask_kinds=tuple(getattr(target, "kinds", ("purchase",))),
        query=query,
    )


def as_strangers(requests: Requests) -> Requests:
    """The same requests from nobody in particular: no id, no history; signals, age and place stay."""
    ids = Vocabulary(map(str, range(len(requests))))
    nobody = Interactions.empty(ids, requests.items, requests.history.kinds)
    return replace(requests, users=(None,) * len(requests), history=nobody)


def ask(evidence: Evidence, name: str, target: RankingTarget, requests: Requests, k: int = K) -> Rankings:
    """The candidate's answer by the target's task. Raises NotFoundError when there is no candidate."""
    candidate = evidence.candidate
    if candidate is None:
        raise NotFoundError("There is no candidate release to replay requests against.")
    if isinstance(target, SearchTarget):
        return candidate.search(name, requests, k)
    return candidate.recommend(name, requests, k)


def differs(a: Rankings, b: Rankings) -> npt.NDArray[np.bool_]:
    """Which rows answer with other items or another order, shape (n,)."""
    differing: npt.NDArray[np.bool_] = np.any(a.items != b.items, axis=1)
    return differing
