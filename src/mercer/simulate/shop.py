"""Write the shop: draw its world, put it into tables, plant faults, and keep the truth beside the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mercer.errors import OutputError
from mercer.simulate.faults import mistype_ages, plant
from mercer.simulate.logs import Logs, write_logs
from mercer.simulate.options import ShopOptions, stream
from mercer.simulate.tables import (
    consents_table,
    events_table,
    items_table,
    judgments_table,
    payments_table,
    users_table,
)
from mercer.simulate.truth_files import write_truth
from mercer.simulate.world import World, draw_world


@dataclass(frozen=True)
class ShopSummary:
    """What was written. rows: rows of each raw table, planted ones among them; planted: how many by rule."""

    folder: Path
    rows: Mapping[str, int]
    planted: Mapping[str, int]


def write_shop(folder: Path, options: ShopOptions) -> ShopSummary:
    """Write TABLE.parquet of nine tables and truth/ into `folder`; equal options give equal bytes.

    Raises OutputError when the folder can't be written.
    """
    world = draw_world(options)
    logs = write_logs(
        world.exposures, world.searches, world.people, world.visits, world.starts, world.paid, world.catalogue
    )
    tables = _tables(world, logs)
    rows: dict[str, int] = {}
    where: list[tuple[str, int, str]] = []
    mended: list[tuple[str, int, str]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            if options.faults and name == "users":
                table, odd = mistype_ages(table, stream(options.seed, "faults", name))
                mended += [(name, row, "age-out-of-range") for row in odd]
            elif options.faults:
                planted = plant(name, table, stream(options.seed, "faults", name))
                table = planted.table
                where += [(name, row, rule) for row, rule in zip(planted.rows, planted.rules, strict=True)]
            if name == "requests":
                place = {request: row for row, request in enumerate(table.column("request").to_pylist())}
                mended += [
                    (name, place[logs.search_ids[typed.row]], f"{typed.kind}-in-text")
                    for typed in world.typed
                ]
            _write(table, folder / f"{name}.parquet")
            rows[name] = table.num_rows
        personal = [(logs.search_ids[typed.row], typed.kind) for typed in world.typed]
        write_truth(world, where, mended, personal, folder / "truth")
    except OSError as fault:
        raise OutputError(
            f"{folder} can't be written ({fault.strerror}).", remedy="Choose another folder."
        ) from fault
    rules = [rule for *_, rule in where]
    return ShopSummary(folder, rows, {rule: rules.count(rule) for rule in sorted(set(rules))})


def small_shop(folder: Path, seed: int = 1) -> ShopSummary:
    """A shop for tests: 300 customers, 120 items, six months, well under a second."""
    return write_shop(folder, ShopOptions(users=300, items=120, months=6, judged_queries=40, seed=seed))


def _tables(world: World, logs: Logs) -> dict[str, pa.Table]:
    """The canonical tables, in the order in which they are written."""
    catalogue, people = world.catalogue, world.people
    return {
        "events": events_table(world.events, people, catalogue, world.starts, world.paid),
        "items": items_table(catalogue, world.calendar),
        "users": users_table(people),
        "consents": consents_table(world.consents, people),
        "requests": logs.requests,
        "impressions": logs.impressions,
        "outcomes": logs.outcomes,
        "judgments": judgments_table(world.judgments, catalogue),
        "payments": payments_table(world.payments, people),
    }


def _write(table: pa.Table, path: Path) -> None:
    draft = path.with_name(f".{path.name}.part")
    pq.write_table(table, draft, compression="zstd")
    draft.replace(path)
