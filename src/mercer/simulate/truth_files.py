"""The truth beside the data: what no shop knows, kept so that tests and reports can ask for it.

truth/world.json           options, ids, names
truth/world.safetensors    rates, tastes, catalogue, visits and baskets, as drawn
truth/repurchase.parquet   per customer and origin: true probability of an order, expected spend
truth/planted.parquet      table, row (from 0), rule of every planted row
truth/mended.parquet       the same of rows whose fault cleaning mends, so that the row is kept
truth/personal.parquet     request, kind of every query into which personal data were typed
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from mercer.errors import DamagedError, NotFoundError
from mercer.simulate.activity import Rates, Visits
from mercer.simulate.baskets import Baskets
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.kinds import assortment
from mercer.simulate.options import ShopOptions
from mercer.simulate.people import People
from mercer.simulate.season import Calendar, microseconds
from mercer.simulate.world import World

Arrays = dict[str, npt.NDArray[Any]]

_PARTS = ("catalogue", "people", "rates", "visits", "baskets")


def write_truth(
    world: World,
    planted: Sequence[tuple[str, int, str]],
    mended: Sequence[tuple[str, int, str]],
    personal: Sequence[tuple[str, str]],
    folder: Path,
) -> None:
    """Write the six files. planted, mended: (table, row, rule). personal: (request, kind)."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: Arrays = {}
    names: dict[str, Any] = {"options": world.options.model_dump(mode="json")}
    for part in _PARTS:
        held = world.people.rates if part == "rates" else getattr(world, part)
        for spec in fields(held):
            value = getattr(held, spec.name)
            if isinstance(value, np.ndarray):
                arrays[f"{part}.{spec.name}"] = np.ascontiguousarray(value)
            elif isinstance(value, tuple):
                names[f"{part}.{spec.name}"] = list(value)
    (folder / "world.json").write_text(json.dumps(names, ensure_ascii=False), "utf-8")
    save_file(arrays, folder / "world.safetensors")
    for name, rows in (("planted", planted), ("mended", mended)):
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        types = (pa.string(), pa.int64(), pa.string())
        table = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        pq.write_table(pa.table(table, names=["table", "row", "rule"]), folder / f"{name}.parquet")
    typed = list(zip(*personal, strict=True)) or [(), ()]
    table = [pa.array(column, pa.string()) for column in typed]
    pq.write_table(pa.table(table, names=["request", "kind"]), folder / "personal.parquet")
    _write_repurchase(folder, world.options)


def _write_repurchase(folder: Path, options: ShopOptions) -> None:
    from mercer.simulate.truth import Truth

    truth = Truth.load(folder.parent)
    parts = []
    for day in options.origins:
        origin = microseconds(day)
        if not truth.covers(origin):
            continue
        n = len(truth.users)
        parts.append(
            pa.table(
                {
                    "user": pa.array(truth.users, pa.string()),
                    "origin": pa.array(np.full(n, origin), pa.timestamp("us")),
                    "horizon_days": np.full(n, options.horizon_days),
                    "probability": truth.repurchase(truth.users, origin, options.horizon_days),
                    "probability_knowing_state": truth.repurchase(
                        truth.users, origin, options.horizon_days, knowing="state"
                    ),
                    "expected_spend_minor": truth.expected_spend(truth.users, origin, options.horizon_days),
                }
            )
        )
    if parts:
        pq.write_table(pa.concat_tables(parts), folder / "repurchase.parquet")


def read_world(folder: Path) -> tuple[ShopOptions, Calendar, Catalogue, People, Visits, Baskets]:
    """What `write_truth` wrote. Raises NotFoundError without a truth, DamagedError for one that is not whole."""
    if not (folder / "world.json").is_file():
        raise NotFoundError(f"{folder} holds no truth.", remedy="Only a simulated shop has one: write_shop.")
    try:
        names = json.loads((folder / "world.json").read_text("utf-8"))
        arrays = load_file(folder / "world.safetensors")
        options = ShopOptions(**names["options"])
        held = {"assortment": assortment().part(options.items)}
        catalogue = _build(Catalogue, "catalogue", arrays, names, held)
        rates = _build(Rates, "rates", arrays, names, {})
        people = _build(People, "people", arrays, names, {"rates": rates})
        visits = _build(Visits, "visits", arrays, names, {})
        baskets = _build(Baskets, "baskets", arrays, names, {})
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as fault:
        raise DamagedError(f"{folder.name} is not a whole truth.", remedy="Write the shop again.") from fault
    return options, Calendar.ending(options.last_day, options.months), catalogue, people, visits, baskets


def _build(kind: Any, part: str, arrays: Arrays, names: dict[str, Any], held: dict[str, Any]) -> Any:
    values = dict(held)
    for spec in fields(kind):
        key = f"{part}.{spec.name}"
        if spec.name not in values:
            values[spec.name] = arrays[key] if key in arrays else tuple(names[key])
    return kind(**values)
