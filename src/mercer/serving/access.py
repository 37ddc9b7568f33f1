"""What a person may ask for: what is held of them, what they were shown, why, and under which policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercer.compliance import CaseStore
from mercer.errors import MercerError
from mercer.release import Release, load
from mercer.serving.state import OnlineState
from mercer.serving.wire import as_time

_TIMES = frozenset({"time", "known_at", "as_of"})
_PEOPLE = ("user", "payer")


def export_person(
    user: str,
    *,
    runs: Sequence[Path],
    places: Sequence[str],
    states: Sequence[OnlineState],
    cases: Sequence[CaseStore],
) -> dict[str, Any]:
    """JSON-able: held (rows by place), shown, predicted, cases, policies (why), places (every find)."""
    held: dict[str, Any] = {f"run {run.name}": _tables(run / "data", user) for run in runs}
    shown: list[dict[str, Any]] = []
    predicted: list[dict[str, Any]] = []
    for state in states:
        kept = state.held(user)
        shown += _shown(kept)
        predicted += [_plain(row) for row in kept["predictions"]]
        held[state.store] = {
            name: [_plain(row) for row in kept[name]] for name in ("events", "people", "consents")
        }
    return {
        "user": user,
        "held": held,
        "shown": shown,
        "predicted": predicted,
        "cases": [case for store in cases for case in _cases(store, user)],
        "policies": [policy for run in runs for policy in _policies(run)],
        "places": list(places),
    }


def _tables(folder: Path, user: str) -> dict[str, list[dict[str, Any]]]:
    """The person's rows of the canonical tables."""
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path)
        named = [name for name in _PEOPLE if name in table.column_names]
        if not named:
            continue
        mask = pc.equal(table.column(named[0]), user)
        rows = table.filter(pc.fill_null(mask, fill_value=False))
        if rows.num_rows:
            found[path.stem] = [_iso(row) for row in _with_text_times(rows).to_pylist()]
    return found


def _with_text_times(table: pa.Table) -> pa.Table:
    """Times as ISO text in UTC."""
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(table.column(at), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(at, field.name, text)
    return table


def _iso(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the state: times as ISO text, JSON texts as what they say, unknowns left out."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name in _TIMES:
            value = as_time(value).isoformat()
        elif name in ("context", "reasons"):
            value = json.loads(value)
        out[name] = value
    return out


def _shown(kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Every answer with the items that it showed, by position."""
    items: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(kept["impressions"], key=lambda row: row["position"]):
        place = {name: row[name] for name in ("position", "item", "propensity")}
        items.setdefault(row["request"], []).append(place)
    return [{**_plain(row), "items": items.get(row["request"], [])} for row in kept["requests"]]


def _cases(store: CaseStore, user: str) -> list[dict[str, Any]]:
    return [store.show(case.case).to_json() for case in store.list() if case.subject == user]


def _policies(run: Path) -> list[dict[str, Any]]:
    """Why: the main parameters of every ranking of a run's release; none where there is no whole release."""
    try:
        release = load(run)
    except MercerError:
        return []
    return [_policy(release, name) for name in release.manifest.targets]


def _policy(release: Release, name: str) -> dict[str, Any]:
    entry = release.manifest.targets[name]
    parameters = release.disclosure(name) if name in release.rankers else []
    return {
        "policy": entry.policy,
        "release": release.hash,
        "model": entry.model,
        "main_parameters": [{"name": parameter, "why": why} for parameter, why in parameters],
    }
