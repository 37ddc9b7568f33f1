"""The request log: recommendations and searches as the tables requests, impressions and outcomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mercer.contracts import TABLES
from mercer.simulate.activity import Visits
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.exposures import POLICIES, Exposures
from mercer.simulate.people import People
from mercer.simulate.searches import POLICY, Searches
from mercer.simulate.season import Ints
from mercer.simulate.tables import constant, contexts, instants, numbered, numbered_by_time, texts

_SECOND = 1_000_000
_NAMES = (*POLICIES, POLICY)


@dataclass(frozen=True)
class Logs:
    """The three tables, requests in the order of time. search_ids: request id of each search."""

    requests: pa.Table
    impressions: pa.Table
    outcomes: pa.Table
    search_ids: tuple[str, ...]


def write_logs(
    exposures: Exposures,
    searches: Searches,
    people: People,
    visits: Visits,
    starts: Ints,
    paid: Ints,
    catalogue: Catalogue,
) -> Logs:
    """Both kinds of requests under ids that count up with time."""
    n_shown = len(exposures.visit)
    visit = np.concatenate([exposures.visit, searches.visit])
    policy = np.concatenate([exposures.policy, np.full(len(searches.visit), len(POLICIES))])
    # A search comes some seconds into the visit, after the front page.
    time = starts[visit] + np.where(np.arange(len(visit)) < n_shown, 1, 35) * _SECOND
    order = np.lexsort((policy, visits.user[visit], time))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    ids = numbered("req", len(order))
    eligible = [row[row >= 0] for row in exposures.eligible] + list(searches.found)
    query = [None] * n_shown + list(searches.text)
    context = contexts(people.jurisdiction, people.age, people.age_known)
    requests = pa.table(
        {
            "request": ids,
            "user": texts(people.ids, visits.user[visit[order]]),
            "time": instants(time[order]),
            "query": pa.array([query[row] for row in order], pa.string()),
            "session": texts(numbered_by_time("visit", starts), visit[order]),
            "policy": texts(_NAMES, policy[order]),
            "release": texts([_release(name) for name in _NAMES], policy[order]),
            "context": texts(context, visits.user[visit[order]]),
            "eligible": _lists([eligible[row] for row in order], catalogue),
        }
    )
    return Logs(
        TABLES["requests"].conform(requests),
        _impressions(exposures, searches, number, ids, catalogue),
        _outcomes(exposures, searches, number, ids, time, paid, catalogue),
        tuple(ids[place] for place in number[n_shown:]),
    )


def _release(policy: str) -> str:
    """What stands for the hash of the release behind a policy that mercer did not build."""
    return hashlib.sha256(policy.encode()).hexdigest()


def _lists(rows: list[Ints], catalogue: Catalogue) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    flat = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    return pa.ListArray.from_arrays(pa.array(offsets), texts(catalogue.ids, flat))


def _impressions(
    exposures: Exposures, searches: Searches, number: Ints, ids: list[str], catalogue: Catalogue
) -> pa.Table:
    parts = []
    first = 0
    for source in (exposures, searches):
        row, slot = np.nonzero(source.shown >= 0)
        parts.append((number[first + row], slot + 1, source.shown[row, slot], source.propensity[row, slot]))
        first += len(source.visit)
    request, position, item, propensity = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((position, request))
    return TABLES["impressions"].conform(
        pa.table(
            {
                "request": texts(ids, request[order]),
                "item": texts(catalogue.ids, item[order]),
                "position": position[order].astype(np.int64),
                "propensity": propensity[order],
                "propensity_kind": constant("item-position", len(order)),
            }
        )
    )


def _outcomes(
    exposures: Exposures,
    searches: Searches,
    number: Ints,
    ids: list[str],
    time: Ints,
    paid: Ints,
    catalogue: Catalogue,
) -> pa.Table:
    n_shown = len(exposures.visit)
    click, purchase = 0, 1

    def clicks(clicked: npt.NDArray[np.bool_], shown: Ints, first: int) -> tuple[Ints, ...]:
        row, slot = np.nonzero(clicked)
        when = time[first + row] + (4 + 6 * (slot + 1)) * _SECOND
        return first + row, shown[row, slot], np.full(len(row), click), when

    row, slot = np.nonzero(exposures.bought)
    paid_for = (row, exposures.shown[row, slot], np.full(len(row), purchase), paid[exposures.order[row]])
    parts = [
        clicks(exposures.clicked, exposures.shown, 0),
        paid_for,
        clicks(searches.clicked, searches.shown, n_shown),
    ]
    row, item, kind, when = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((item, kind, number[row], when))
    row, item, kind, when = row[order], item[order], kind[order], when[order]
    return TABLES["outcomes"].conform(
        pa.table(
            {
                "request": texts(ids, number[row]),
                "item": texts(catalogue.ids, item),
                "kind": texts(("click", "purchase"), kind),
                "time": instants(when),
                "amount_minor": pa.array(catalogue.price_minor[item], pa.int64(), mask=kind == 0),
            }
        )
    )
