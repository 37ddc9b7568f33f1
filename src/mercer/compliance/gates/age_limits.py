"""Age-limited goods in served answers: asked as the young and as people of unknown age.

Each person is asked for twice: in the ordinary way, and for limited goods alone. The second leaves a careless
release nothing else to answer, so that the check does not hang on what happens to rank high.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate, first
from mercer.compliance.gates.replay import Rows, ask, people_with_history, requests_of, spread
from mercer.contracts import NO_ITEM, UNKNOWN_AGE, Ragged, Rankings, Requests

PEOPLE = 60
MOST_LIMITED = 500


class AgeLimits(RuleGate):
    """No age-limited item is answered to somebody under age, or of unknown age."""

    name = "age-limits"
    stage = "serve"

    def inapplicable(self, evidence: Evidence) -> str:
        """Without a ranking target no item is shown."""
        return "" if evidence.ranking_targets else "no target of the brief ranks items"

    def measure(self, evidence: Evidence) -> Measured:
        """Ask the candidate as people of age 0 to limit - 1 and of unknown age."""
        missing = _missing(evidence)
        if missing:
            return Measured(examined=0, violations=0, measured="none", missing=missing)
        limits = evidence.items["min_age"].fillna(0).to_numpy(np.int64)
        limited = np.flatnonzero(limits > 0)
        if not len(limited):
            return Measured(
                examined=len(limits), violations=0, measured=f"0 of {len(limits)} items have an age limit"
            )
        rows = _people(evidence, limits)
        examined, wrong, where = 0, 0, ""
        offending: list[Mapping[str, Any]] = []
        for name, target in evidence.ranking_targets.items():
            for requests in _variants(evidence, name, rows, limited, limits):
                answer = ask(evidence, name, target, requests)
                shown = _shown_under_age(answer, limits, requests.context.age)
                examined += len(requests)
                wrong += len(shown)
                where = where or (name if len(shown) else "")
                offending += first(
                    {
                        "user": evidence.pseudonyms.of(requests.users[row]),
                        "target": name,
                        "item": requests.items.ids[int(answer.items[row, place])],
                        "min_age": int(limits[answer.items[row, place]]),
                        "age": _age(int(requests.context.age[row])),
                    }
                    for row, place in shown
                )
        return Measured(
            examined=examined,
            violations=wrong,
            measured=f"{wrong} limited items in {examined} answers to the young and to people of unknown age "
            f"({len(limited)} limited items in the catalogue)",
            offending=offending,
            target=where,
        )


def _missing(evidence: Evidence) -> str:
    if evidence.candidate is None:
        return "There is no candidate release to replay requests against."
    table = evidence.table("items")
    if table is None or "min_age" not in table or table["min_age"].isna().all():
        return "The catalogue has no `min_age`, so mercer can't know which goods are limited."
    return ""


def _people(evidence: Evidence, limits: npt.NDArray[np.int64]) -> Rows:
    """People whose histories hold limited goods first: they are the likeliest to be shown more of them."""
    rows = people_with_history(evidence)
    history = evidence.interactions
    if history is None or not len(rows):
        return np.zeros(0, np.int64)
    buyers = np.unique(history.user_of[limits[history.item] > 0])
    others = np.setdiff1d(rows, buyers)
    chosen = spread(buyers, PEOPLE // 2)
    return np.concatenate([chosen, spread(others, PEOPLE - len(chosen))])


def _variants(
    evidence: Evidence,
    name: str,
    rows: Rows,
    limited: npt.NDArray[np.int64],
    limits: npt.NDArray[np.int64],
) -> list[Requests]:
    """Unknown and too low an age, each with the whole catalogue and with limited goods alone."""
    plain = requests_of(evidence, evidence.ranking_targets[name], rows)
    if plain is None or not len(plain):
        return []
    n = len(plain)
    only = Ragged.from_rows([spread(limited, MOST_LIMITED).astype(np.int32)] * n)
    young = np.full(n, int(limits[limited].min()) - 1, np.int16)
    unknown = np.full(n, UNKNOWN_AGE, np.int16)
    return [
        replace(plain, context=replace(plain.context, age=age), allow=allow, repeats=True)
        for age in (unknown, young)
        for allow in (None, only)
    ]


def _shown_under_age(
    answer: Rankings, limits: npt.NDArray[np.int64], age: npt.NDArray[np.int16]
) -> list[tuple[int, int]]:
    """(request, place) of every answered item whose limit the person is not known to reach."""
    needed = np.where(answer.items == NO_ITEM, 0, limits[np.maximum(answer.items, 0)])
    reached = np.maximum(age, 0)[:, None]
    rows, places = np.nonzero((needed > 0) & (needed > reached))
    return list(zip(rows.tolist(), places.tolist(), strict=True))


def _age(years: int) -> int | str:
    return "unknown" if years == UNKNOWN_AGE else years
