"""Ingest: read every source of a brief, map and clean it, and account for every row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief, Source
from mercer.contracts import TABLES, Progress, Silent
from mercer.data.accounting import Accounting, RuleCount, TableCount
from mercer.data.cleaning import Facts, Sheet, all_rules, rules_for
from mercer.data.cleaning.rule import Suppressed
from mercer.data.mapping import mapped
from mercer.data.sources import read_frame
from mercer.data.training import end_of
from mercer.errors import BriefError, DataError, OutputError, nearest

ORDER = ("items", "users", "events", *(name for name in TABLES if name not in ("items", "users", "events")))
"""Catalogue first: other tables are checked against it."""


def ingest(
    brief: Brief,
    *,
    data_folders: tuple[Path, ...],
    out: Path,
    suppressed: Suppressed | None = None,
    progress: Progress | None = None,
) -> Accounting:
    """Read, map and clean every source; write canonical tables, quarantine, accounting and profile into `out`.

    suppressed: the people who were forgotten; their rows are not taken in. For a simulated shop every TABLE.parquet of
    the first data folder is a source whose naive times are UTC.
    Raises DataError naming file and column, BriefError for an unknown rule in rules_off, OutputError when `out`
    can't be written. Every row read is kept, quarantined with rule and reason, or merged: nothing is dropped.
    """
    bar = progress or Silent()
    _check_rules(brief)
    sources = _sources(brief, data_folders)
    try:
        (out / "quarantine").mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{out} can't be written ({fault.strerror}).", remedy="Choose another folder."
        ) from fault
    accounting = Accounting()
    items: frozenset[str] | None = None
    wanted = [name for name in ORDER if name in sources]
    for number, name in enumerate(wanted):
        bar.advance(number, len(wanted) + 1, name)
        raw = read_frame(sources[name], data_folders).reset_index(drop=True)
        sheet = mapped(name, sources[name], raw, brief)
        catalogue = items if _is_catalogue(sources) else None
        rules = clean(sheet, brief, Facts(end=end_of(brief), items=catalogue, suppressed=suppressed))
        table = canonical(sheet)
        if name == "items":
            items = frozenset(table.column("item").to_pylist()) | _untitled(sheet)
        _write(table, out / f"{name}.parquet")
        _write(
            pa.Table.from_pandas(sheet.quarantine_table(), preserve_index=False),
            out / "quarantine" / f"{name}.parquet",
        )
        accounting.tables[name] = _count(sheet, raw, rules)
    (out / "accounting.json").write_text(json.dumps(accounting.to_json(), indent=1), "utf-8")
    bar.advance(len(wanted), len(wanted) + 1, "profile")
    from mercer.data.profile import write_profile

    write_profile(out, brief)
    return accounting


def _check_rules(brief: Brief) -> None:
    for name in brief.data.rules_off:
        if name not in all_rules():
            raise BriefError(
                f"data.rules_off: no rule is called {name!r}.", remedy=nearest(name, all_rules())
            )


def _sources(brief: Brief, folders: tuple[Path, ...]) -> dict[str, Source]:
    if brief.data.simulate is None:
        return brief.data.sources
    return {
        name: Source(source=f"{name}.parquet", timezone="UTC")
        for name in TABLES
        if (folders[0] / f"{name}.parquet").is_file()
    }


def _is_catalogue(sources: dict[str, Source]) -> bool:
    """Whether items have a source of their own: a catalogue taken from the log can't contradict the log."""
    events = sources.get("events")
    return "items" in sources and (events is None or events.source != sources["items"].source)


def _untitled(sheet: Sheet) -> frozenset[str]:
    """Items whose row was quarantined for its title only: their events are kept."""
    rows = [rows for rows, rule, _ in sheet.quarantined if rule == "item-without-title"]
    if not rows:
        return frozenset()
    column = sheet.raw.loc[np.concatenate(rows)]
    names = column["item"] if "item" in column else column.iloc[:, 0]
    return frozenset(names.dropna().astype(str).str.strip())


def clean(sheet: Sheet, brief: Brief, facts: Facts) -> tuple[RuleCount, ...]:
    """Apply the table's rules in order, less those the brief switches off; returns what each acted on."""
    counts = []
    for rule in rules_for(sheet.table):
        if rule.name in brief.data.rules_off:
            continue
        counts.append(RuleCount(rule.name, rule.sentence, rule.action, rule.apply(sheet, facts)))
    return tuple(counts)


def canonical(sheet: Sheet) -> pa.Table:
    """The kept rows in the table's schema, extras last, sorted so that the same rows give the same bytes.

    Raises DataError when nothing is left.
    """
    schema = TABLES[sheet.table]
    frame = sheet.frame
    if frame.empty:
        raise DataError(
            f"Every row of {sheet.table} was quarantined.",
            remedy="Look at quarantine/ for the rules and reasons, and mend the map or the source.",
        )
    if "amount" in frame:
        frame = frame.assign(amount_minor=frame["amount"].round().astype("Int64"))
    keep = [c for c in frame.columns if c not in ("amount", "price", "derived")]
    arrays = {}
    for name in keep:
        column = next((c for c in schema.columns if c.name == name), None)
        values = frame[name]
        if column is not None and pa.types.is_integer(column.type):
            values = values.astype("Float64").round().astype("Int64")
        arrays[name] = pa.array(values, type=column.type if column is not None else None, from_pandas=True)
    order = [name for name in (*schema.key, "time", *schema.column_names) if name in arrays]
    simple = [name for name in dict.fromkeys(order) if not pa.types.is_list(arrays[name].type)]
    return schema.conform(pa.table(arrays).sort_by([(name, "ascending") for name in simple]))


def _count(sheet: Sheet, raw: pd.DataFrame, rules: tuple[RuleCount, ...]) -> TableCount:
    quarantined = sum(len(rows) for rows, _, _ in sheet.quarantined)
    count = TableCount(len(raw), len(sheet.frame), quarantined, sheet.merged, rules)
    if count.kept + count.quarantined + count.merged != count.read:
        raise AssertionError(f"{sheet.table}: rows are not accounted for: {count}")
    return count


def _write(table: pa.Table, path: Path) -> None:
    draft = path.with_name(f".{path.name}.part")
    try:
        pq.write_table(table, draft)
        draft.replace(path)
    except OSError as fault:
        raise OutputError(
            f"{path} can't be written ({fault.strerror}).", remedy="Choose another folder."
        ) from fault
