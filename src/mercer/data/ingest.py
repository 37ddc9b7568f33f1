"""Ingest: read every source of a brief, map and clean it, and account for every row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief, Source
from mercer.contracts import TABLES, Progress, Silent
from mercer.data.accounting import Accounting, RuleCount, TableCount
from mercer.data.cleaning import Facts, Sheet, all_rules, rules_for
from mercer.data.cleaning.codes import BY_ITEM
from mercer.data.cleaning.near_items import EVIDENCE, NEAR, sales_of
from mercer.data.cleaning.rule import Suppressed
from mercer.data.cleaning.sheet import AMOUNT, MONEY, QUARANTINE
from mercer.data.cleaning.text import SCRUB
from mercer.data.engine import Engine
from mercer.data.mapping import ALSO, mapped
from mercer.data.sources import RawRows
from mercer.data.training import end_of
from mercer.errors import BriefError, DataError, OutputError, nearest

ORDER = ("items", "users", "events", *(name for name in TABLES if name not in ("items", "users", "events")))
"""Catalogue first: other tables are checked against it."""

HIDDEN = ("price", "derived")
"""Columns of a sheet that no table has."""

_QUARANTINE = pa.schema([(name, pa.int64() if name == "row" else pa.string()) for name in QUARANTINE])
_COUNTS, _PRICES = ("orders", "kept_orders", "together"), ("price_minor", "kept_price_minor")
_EVIDENCE = pa.schema(
    [
        (name, pa.int64() if name in _COUNTS else pa.float64() if name in _PRICES else pa.string())
        for name in EVIDENCE
    ]
)


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
    sources = sources_of(brief, data_folders)
    accounting = clean_tables(brief, sources, data_folders, out, suppressed, bar)
    bar.advance(len(sources), len(sources) + 1, "profile")
    from mercer.data.profile import write_profile

    write_profile(out, brief)
    return accounting


def clean_tables(
    brief: Brief,
    sources: Mapping[str, Source],
    data_folders: tuple[Path, ...],
    out: Path,
    suppressed: Suppressed | None,
    bar: Progress,
) -> Accounting:
    """Read, map, clean and write the tables one after the other, then the accounting. Raises as `ingest` does."""
    _folder(out / "quarantine")
    accounting = Accounting()
    wanted = [name for name in ORDER if name in sources]
    ahead = NEAR.name in brief.data.rules_on and {"events", "items"} <= sources.keys()
    rows = RawRows([*(["events"] if ahead else []), *wanted], sources, data_folders)
    facts = Facts(end=end_of(brief), suppressed=suppressed)
    with Engine.scratch() as engine:
        if ahead:
            raw, _ = rows.read("events", engine)
            facts = replace(facts, sales=sales_of(mapped("events", sources["events"], raw, brief).frame))
        for number, name in enumerate(wanted):
            bar.advance(number, len(wanted) + 1, name)
            raw, notes = rows.read(name, engine)
            sheet = mapped(name, sources[name], raw, brief)
            sheet.notes = [*notes, *sheet.notes]
            rules = clean(sheet, brief, facts)
            table = canonical(sheet, rules)
            if name == "items":
                facts = _learned(facts, sheet, table, is_catalogue=_is_catalogue(sources))
                _write_evidence(sheet, out)
            _sink(engine, table, name, out / f"{name}.parquet")
            _write(sheet.quarantine_table(SCRUB), _QUARANTINE, out / "quarantine" / f"{name}.parquet")
            accounting.tables[name] = _count(sheet, rules)
            del sheet, raw, table
    _write_text(json.dumps(accounting.to_json(), indent=1), out / "accounting.json")
    return accounting


def _learned(facts: Facts, sheet: Sheet, table: pa.Table, *, is_catalogue: bool) -> Facts:
    """What the catalogue tells the rules of the other tables."""
    known = None
    if is_catalogue:
        untitled = sheet.mapped_values("item", "item-without-title")
        known = frozenset(table.column("item").to_pylist()) | frozenset(untitled)
    no_products = {
        str(code): rule for rule in BY_ITEM for code in sheet.mapped_values("item", rule).dropna().unique()
    }
    folds = {} if sheet.evidence is None else dict(sheet.evidence[["item", "kept"]].to_numpy().tolist())
    return replace(facts, items=known, no_products=no_products, folds=folds)


def _write_evidence(sheet: Sheet, out: Path) -> None:
    """Why items were folded, where the rule ran."""
    if sheet.evidence is not None:
        _write(sheet.evidence, _EVIDENCE, out / "near-duplicate-items.parquet")


def _folder(folder: Path) -> None:
    """Make a folder and see that files can be written there. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        raise _unwritable(folder, fault) from fault


def _unwritable(path: Path, fault: OSError) -> OutputError:
    return OutputError(f"{path} can't be written ({fault.strerror}).", remedy="Choose another folder.")


def _check_rules(brief: Brief) -> None:
    for key, names in (("rules_off", brief.data.rules_off), ("rules_on", brief.data.rules_on)):
        for name in names:
            if name not in all_rules():
                raise BriefError(
                    f"data.{key}: no rule is called {name!r}.", remedy=nearest(name, all_rules())
                )
    for name in brief.data.rules_on:
        if not all_rules()[name].asked:
            raise BriefError(f"data.rules_on: {name!r} is on already.", remedy="Leave it out.")
    for name in brief.data.rules_off:
        if all_rules()[name].fixed:
            raise BriefError(
                f"data.rules_off: {name!r} can't be switched off, for what follows rests on it.",
                remedy="Leave it out of rules_off; its rows are in quarantine/.",
            )


def sources_of(brief: Brief, folders: tuple[Path, ...]) -> dict[str, Source]:
    """The sources that a brief names; for a simulated shop, every canonical table of the first folder."""
    if brief.data.simulate is None:
        return brief.data.sources
    return {
        name: Source(source=f"{name}.parquet", timezone="UTC")
        for name in TABLES
        if (folders[0] / f"{name}.parquet").is_file()
    }


def _is_catalogue(sources: Mapping[str, Source]) -> bool:
    """Whether items have a source of their own: a catalogue taken from the log can't contradict the log."""
    events = sources.get("events")
    return "items" in sources and (events is None or events.source != sources["items"].source)


def clean(sheet: Sheet, brief: Brief, facts: Facts) -> tuple[RuleCount, ...]:
    """Apply the table's rules in order, less those the brief switches off; returns what each acted on."""
    counts = []
    for rule in rules_for(sheet.table):
        if rule.name in brief.data.rules_off or (rule.asked and rule.name not in brief.data.rules_on):
            continue
        counts.append(RuleCount(rule.name, rule.sentence, rule.action, rule.apply(sheet, facts)))
    return tuple(counts)


def canonical(sheet: Sheet, rules: tuple[RuleCount, ...] = ()) -> pa.Table:
    """The kept rows in the table's schema, extras last.

    Raises DataError when nothing is left, naming the rule that took most rows.
    """
    schema = TABLES[sheet.table]
    frame = sheet.frame
    if frame.empty:
        most = max(rules, key=lambda rule: (rule.action == "quarantine") * rule.count, default=None)
        why = f", {most.count:,} of {len(sheet.raw):,} by {most.rule}" if most is not None else ""
        raise DataError(
            f"Every row of {sheet.table} was quarantined{why}.",
            remedy=f"Mend data.{sheet.table}.map or the source. The rule: {most.sentence if most else ''}".strip(),
        )
    types = {column.name: column.type for column in schema.columns}
    has_money = not types.keys().isdisjoint(MONEY)
    arrays = {}
    for name in frame.columns:
        if name in HIDDEN and sheet.table in ALSO:
            continue
        own = next(money for money in MONEY if money in types) if name == AMOUNT and has_money else name
        values = frame[name]
        if own in types and pa.types.is_integer(types[own]):
            values = values.astype("Float64").round().astype("Int64")
        arrays[own] = pa.array(values, type=types.get(own), from_pandas=True)
    return schema.conform(pa.table(arrays))


def _sink(engine: Engine, table: pa.Table, name: str, path: Path) -> None:
    """Write a table sorted by all its columns, the key and the time first: the same rows give the same bytes."""
    schema = TABLES[name]
    first = [column for column in (*schema.key, "time") if column in table.column_names]
    order = dict.fromkeys([*first, *table.column_names])
    simple = [column for column in order if not pa.types.is_list(table.schema.field(column).type)]
    try:
        engine.sink(engine.tabulate(table).order_by(simple), path, lambda piece: piece.cast(table.schema))
    except OSError as fault:
        raise _unwritable(path, fault) from fault


def _count(sheet: Sheet, rules: tuple[RuleCount, ...]) -> TableCount:
    quarantined = sum(len(rows) for rows, _, _ in sheet.quarantined)
    count = TableCount(len(sheet.raw), len(sheet.frame), quarantined, sheet.merged, rules, tuple(sheet.notes))
    if count.kept + count.quarantined + count.merged != count.read:
        raise AssertionError(f"{sheet.table}: rows are not accounted for: {count}")
    return count


def _write(frame: pd.DataFrame, schema: pa.Schema, path: Path) -> None:
    draft = path.with_name(f".{path.name}.part")
    try:
        pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), draft)
        draft.replace(path)
    except OSError as fault:
        raise _unwritable(path, fault) from fault


def _write_text(text: str, path: Path) -> None:
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    except OSError as fault:
        raise _unwritable(path, fault) from fault
