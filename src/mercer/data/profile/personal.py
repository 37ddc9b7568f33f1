"""Personal data: what the rules found, what tables hold by nature, and what stands in texts after cleaning."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.contracts import TABLES
from mercer.data.personal import holds
from mercer.data.profile.accounts import DONE, Accounts
from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.words import count, listed, plural

RULES = (
    "suppressed", "card-number-in-text", "email-in-text", "phone-in-text", "age-out-of-range", "minor",
)  # fmt: skip
"""Cleaning rules that concern people."""

PURPOSE = "recommendation"

_TEXTS = ("title", "text", "query", "category", "brand", "channel", "context", "attributes")


Hit = tuple[str, str, str, str, int]
"""Tables looked through, rule, its sentence, what was done, rows."""

Held = tuple[str, str, str, int, int]
"""Table, column, meaning, distinct values, rows."""


def section(folder: Path, accounts: Accounts, brief: Brief) -> Section | None:
    """Hits by rule, personal columns, and what is left in free text; None for a folder without tables."""
    held, left, looked = _held(folder, brief)
    if not held and not looked:
        return None
    hits = _hits(accounts)
    suspects = listed(sorted(left))
    return Section(
        id="personal",
        title="Personal data",
        finding=_finding(sum(hit[4] for hit in hits if hit[1].endswith("-in-text")), held, left, looked),
        meaning=_meaning(brief, suspects) + _consents(folder),
        watch=f"Texts in {suspects} still look like card numbers or e-mail addresses." if left else "",
        grids=tuple(grid for grid in (_rules(hits), _columns(held)) if grid.rows),
    )


def _hits(accounts: Accounts) -> list[Hit]:
    """Rules about personal data over all tables, the most hits first."""
    found: dict[str, Hit] = {}
    for name, facts in accounts.items():
        for rule in facts["rules"]:
            if rule["rule"] in RULES:
                tables, *_, before = found.get(rule["rule"], ("", "", "", "", 0))
                done = DONE.get(rule["action"], rule["action"])
                tables = f"{tables}, {name}" if tables else name
                n = before + int(rule["count"])
                found[rule["rule"]] = (tables, rule["rule"], rule["sentence"], done, n)
    return sorted(found.values(), key=lambda hit: (-hit[4], hit[1]))


def _finding(n_found: int, held: list[Held], left: dict[str, int], looked: int) -> str:
    said = (
        f"The rules found {plural(n_found, 'text')} with a card number, an e-mail address or a phone number and took "
        f"{'it' if n_found == 1 else 'them'} out"
        if n_found
        else "The rules found no card number, e-mail address or phone number in a text"
    )
    if left:
        said += f"; of the {plural(looked, 'distinct text')} kept, {count(sum(left.values()))} still look like one."
    elif looked:
        said += f"; of the {plural(looked, 'distinct text')} kept, none looks like a card number or an e-mail address."
    else:
        said += "."
    persons = max((n for _, column, _, n, _ in held if column in ("user", "payer")), default=0)
    return (
        f"{said} The tables are about {plural(persons, 'person', 'persons')} under ids." if persons else said
    )


def _held(folder: Path, brief: Brief) -> tuple[list[Held], dict[str, int], int]:
    """Personal columns that hold something; suspicious texts by column; how many distinct texts were looked at."""
    held: list[Held] = []
    left: dict[str, int] = {}
    looked = 0
    for name, schema in TABLES.items():
        place = folder / f"{name}.parquet"
        if not place.is_file():
            continue
        personal = {c.name: c.meaning for c in schema.columns if c.personal}
        there = pq.read_schema(place)
        personal |= {n: brief.columns[n].means or "protected" for n in there.names if _protected(brief, n)}
        wanted = [n for n in there.names if n in personal or n in _TEXTS]
        table = pq.read_table(place, columns=wanted)
        for column in wanted:
            if pa.types.is_nested(there.field(column).type):
                continue
            values = pc.unique(table.column(column)).drop_null()
            if column in personal and len(values):
                held.append((name, column, personal[column], len(values), table.num_rows))
            if column in _TEXTS:
                texts = [str(value) for value in values.to_pylist()]
                looked += len(texts)
                bad = sum(holds(text, "email") or holds(text, "card") for text in texts)
                left |= {f"{name}.{column}": bad} if bad else {}
    return held, left, looked


def _protected(brief: Brief, name: str) -> bool:
    return name in brief.columns and brief.columns[name].protected


def _rules(hits: list[Hit]) -> Grid:
    return Grid(
        title="What the rules about personal data found",
        columns=(
            Column(name="looked through"), Column(name="rule"), Column(name="why"), Column(name="rows were"),
            Column(name="rows", align="right"),
        ),
        rows=tuple((*hit[:4], count(hit[4])) for hit in hits),
    )  # fmt: skip


def _columns(held: list[Held]) -> Grid:
    return Grid(
        title="Columns that concern a person",
        columns=(
            Column(name="table"), Column(name="column"), Column(name="means"),
            Column(name="distinct values", align="right"), Column(name="rows", align="right"),
        ),
        rows=tuple((t, c, means, count(n), count(rows)) for t, c, means, n, rows in held),
    )  # fmt: skip


def _meaning(brief: Brief, suspects: str) -> str:
    said = [f"Look at {suspects} before anything is trained or logged."] if suspects else []
    said.append(
        f"The brief lets these data serve {listed(brief.purposes)}, under the law of "
        f"{listed(list(brief.jurisdictions))}."
    )
    protected = sorted(name for name, note in brief.columns.items() if note.protected)
    said.append(
        f"Declared as protected, for audits only: {listed(protected)}."
        if protected
        else "It declares no protected attribute, so whether groups of people are served alike can't be audited."
    )
    return " ".join(said)


def _consents(folder: Path) -> str:
    """How many people let recommendations use their data by their latest word, where there is a table of consents."""
    place = folder / "consents.parquet"
    if not place.is_file():
        return ""
    entries = pq.read_table(place, columns=["user", "purpose", "given", "time"]).to_pandas()
    entries = entries.loc[entries["purpose"] == PURPOSE].sort_values(
        ["time", "given"], ascending=[True, False]
    )
    given = entries.groupby("user")["given"].last()
    if given.empty:
        return ""
    said = count(int(given.sum()))
    return f" {said} of the {plural(len(given), 'person', 'persons')} who were asked consent to {PURPOSE}."
