"""The exposure log: every answer with what could have been shown, what was, where, and how likely.

`export` writes it in the form of the canonical tables `requests`, `impressions`, `outcomes` and `events`, so
that another brief reads it as data.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from mercer.contracts import TABLES
from mercer.serving.state.database import Database
from mercer.serving.state.schema import events, impressions, predictions, requests, vocabularies

SLATE = "item-position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One ranked answer.

    time: microseconds. context: JSON-able. eligible: bool over the vocabulary, shape (I,).
    items, propensity: by position, from 1.
    """

    request: str
    user: str | None
    time: int
    query: str | None
    session: str | None
    policy: str
    release: str
    context: Mapping[str, Any]
    eligible: npt.NDArray[np.bool_]
    items: Sequence[str]
    propensity: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """One prediction that was given. time, as_of: microseconds."""

    request: str
    user: str | None
    time: int
    as_of: int
    policy: str
    release: str
    context: Mapping[str, Any]
    value: float
    low: float
    high: float
    reasons: Sequence[Mapping[str, Any]] | None


class ExposureLog:
    """The exposure log of the online state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._named: set[str] = set()

    def name_items(self, release: str, ids: Sequence[str]) -> None:
        """Keep the vocabulary of a release; needed once before its answers are recorded."""
        if release in self._named:
            return
        packed = zlib.compress(json.dumps(list(ids), ensure_ascii=False).encode())
        statement = self._database.insert(vocabularies).values(release=release, ids=packed)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_nothing())
        self._named.add(release)

    def record(self, exposure: Exposure) -> None:
        """Write one answer, whole."""
        row = {
            "request": exposure.request,
            "user": exposure.user,
            "time": exposure.time,
            "query": exposure.query,
            "session": exposure.session,
            "policy": exposure.policy,
            "release": exposure.release,
            "context": json.dumps(exposure.context, sort_keys=True),
            "eligible": None
            if exposure.eligible.all()
            else zlib.compress(np.packbits(exposure.eligible).tobytes(), 1),
        }
        shown = [
            {
                "request": exposure.request,
                "position": position,
                "item": item,
                "propensity": float(propensity),
                "propensity_kind": SLATE,
            }
            for position, (item, propensity) in enumerate(
                zip(exposure.items, exposure.propensity, strict=True), start=1
            )
        ]
        with self._database.write() as connection:
            connection.execute(requests.insert(), row)
            if shown:
                connection.execute(impressions.insert(), shown)

    def record_prediction(self, made: PredictionRecord) -> None:
        """Write one prediction."""
        row = {
            "request": made.request,
            "user": made.user,
            "time": made.time,
            "as_of": made.as_of,
            "policy": made.policy,
            "release": made.release,
            "context": json.dumps(made.context, sort_keys=True),
            "value": made.value,
            "low": made.low,
            "high": made.high,
            "reasons": None if made.reasons is None else json.dumps(list(made.reasons), ensure_ascii=False),
        }
        with self._database.write() as connection:
            connection.execute(predictions.insert(), row)

    def tables(self) -> dict[str, pa.Table]:
        """`requests`, `impressions`, `outcomes` and `events` in canonical form, in order of arrival."""
        with self._database.read() as connection:
            ids = {
                row.release: np.array(json.loads(zlib.decompress(row.ids)), object)
                for row in connection.execute(select(vocabularies))
            }
            asked = [
                row._asdict() for row in connection.execute(select(requests).order_by(requests.c.number))
            ]
            order = select(impressions).join(requests, requests.c.request == impressions.c.request)
            shown = [
                row._asdict()
                for row in connection.execute(order.order_by(requests.c.number, impressions.c.position))
            ]
            seen = [row._asdict() for row in connection.execute(select(events).order_by(events.c.number))]
        for row in asked:
            row["eligible"] = _unpacked(row["eligible"], ids.get(row["release"]))
        followed = [row for row in seen if row["request"] is not None]
        rows = {"requests": asked, "impressions": shown, "outcomes": followed, "events": seen}
        return {name: _canonical(name, found) for name, found in rows.items()}

    def export(self, folder: Path) -> dict[str, int]:
        """Write each table that has rows to `folder/TABLE.parquet`. Returns the row counts."""
        folder.mkdir(parents=True, exist_ok=True)
        counts = {}
        for name, table in self.tables().items():
            if table.num_rows:
                work = folder / f".{name}.tmp"
                pq.write_table(table, work)
                work.replace(folder / f"{name}.parquet")
            counts[name] = table.num_rows
        return counts


def _unpacked(packed: bytes | None, ids: npt.NDArray[np.object_] | None) -> list[str] | None:
    if packed is None or ids is None:
        return None
    bits = np.unpackbits(np.frombuffer(zlib.decompress(packed), np.uint8), count=len(ids))
    return [str(item) for item in ids[bits.astype(bool)]]


def _canonical(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    schema = TABLES[name].arrow()
    columns = {
        field.name: pa.array(
            [row[field.name] for row in rows], pa.int64() if pa.types.is_timestamp(field.type) else field.type
        ).cast(field.type)
        for field in schema
    }
    return TABLES[name].conform(pa.table(columns))
