"""Small held-out sets and scored rows that the tests of this room share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mercer.contracts import Context, Holdout, Interactions, Labelled, Ragged, Requests, Snapshots, Vocabulary
from mercer.evaluation import Scored


def log(
    histories: Sequence[Sequence[int]], n_items: int, *, users: Sequence[str] | None = None
) -> Interactions:
    lengths = [len(history) for history in histories]
    indptr = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    n = int(indptr[-1])
    names = users or [f"u{row}" for row in range(len(histories))]
    order = np.arange(n, dtype=np.int64)
    return Interactions(
        users=Vocabulary(names),
        items=Vocabulary(f"i{code}" for code in range(n_items)),
        kinds=("purchase",),
        indptr=indptr,
        item=np.array([code for history in histories for code in history], np.int32),
        time=order,
        known_at=order,
        kind=np.zeros(n, np.int8),
        quantity=np.ones(n, np.float32),
        amount_minor=np.full(n, 100, np.int64),
        basket=np.full(n, -1, np.int64),
        session=np.full(n, -1, np.int64),
        origin_time=order,
        has_clock=False,
    )


def holdout(
    relevant: Sequence[Sequence[int]],
    n_items: int,
    *,
    histories: Sequence[Sequence[int]] | None = None,
    grades: Sequence[float] | None = None,
    repeats: bool = True,
    **rules: Ragged,
) -> Holdout:
    n = len(relevant)
    wanted = Ragged.from_rows(relevant)
    requests = Requests(
        users=tuple(f"u{row}" for row in range(n)),
        history=log(histories if histories is not None else [()] * n, n_items),
        time=np.full(n, 10**6, np.int64),
        context=Context.unknown(n),
        repeats=repeats,
        **rules,
    )
    units = tuple(f"u{row}" for row in range(n))
    values = np.ones(len(wanted.values)) if grades is None else np.array(grades, np.float64)
    return Holdout(requests=requests, relevant=wanted, grades=values, units=units, clusters=units)


def ranking(
    rows: Sequence[tuple[str, str, float, float]], n_items: int = 100, lists: object = None
) -> Scored:
    """Ranking rows from (unit, item, grade, rank)."""
    frame = pd.DataFrame(rows, columns=["unit", "item", "grade", "rank"])
    frame.insert(1, "cluster", frame["unit"])
    return Scored(kind="ranking", rows=frame, lists=lists, n_items=n_items)  # type: ignore[arg-type]


def predictions(value: Sequence[float], outcome: Sequence[float], kind: str = "probability") -> Scored:
    n = len(value)
    names = [f"c{row:05d}" for row in range(n)]
    return Scored(
        kind=kind,  # type: ignore[arg-type]
        rows=pd.DataFrame(
            {
                "unit": names, "cluster": names, "as_of": np.zeros(n, np.int64),
                "value": np.array(value, float), "low": np.zeros(n), "high": np.array(value, float),
                "outcome": np.array(outcome, float), "weight": np.ones(n),
            }
        ),
    )  # fmt: skip


def labelled(outcome: Sequence[float], *, entities: Sequence[str] | None = None) -> Labelled:
    n = len(outcome)
    names = tuple(entities or [f"c{row}" for row in range(n)])
    history = log([[0]] * n, 1)
    return Labelled(
        snapshots=Snapshots(entities=names, as_of=np.arange(n, dtype=np.int64), history=history),
        outcome=np.array(outcome, np.float64),
        label_known_at=np.arange(n, dtype=np.int64) + 5,
    )
