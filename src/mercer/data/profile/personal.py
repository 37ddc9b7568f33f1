"""Personal data: what the rules found, what tables hold by nature, and what stands in texts after cleaning."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.contracts import TABLES
from mercer.data.profile.accounts import DONE, Accounts
from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.texts import FIRM, Finds, grid, look, said
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
    held, finds = _held(folder, brief)
    if not held and not finds:
        return None
    hits = _hits(accounts)
    left = [one for one in finds if one.of(FIRM)]
    suspects = listed(sorted(one.place for one in left))
    return Section(
        id="personal",
        title="Personal data",
        finding=_finding(sum(hit[4] for hit in hits if hit[1].endswith("-in-text")), held, finds),
        meaning=_meaning(brief, suspects) + _consents(folder),
        watch=f"Texts still look as if they held personal data: {listed([said(one, FIRM) for one in left])}."
        if left
        else "",
        grids=tuple(one for one in (_rules(hits), grid(finds), _columns(held)) if one.rows),
        notes=(
            "How much of each kind is found, and how often wrongly, was measured: names and addresses are a warning "
            "light, and brands that are names light it too.",
        )
        if finds
        else (),
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


def _finding(n_found: int, held: list[Held], finds: list[Finds]) -> str:
    told = (
        f"The rules found {plural(n_found, 'text')} with a card number, an e-mail address or a phone number and took "
        f"{'it' if n_found == 1 else 'them'} out"
        if n_found
        else "The rules found no card number, e-mail address or phone number in a text"
    )
    looked = sum(one.looked for one in finds)
    firm = sum(one.of(FIRM) for one in finds)
    if looked:
        told += f"; of {plural(looked, 'distinct text')} that were looked at after cleaning, "
        told += f"{count(firm) if firm else 'none'} still {'looks' if firm < 2 else 'look'} like one."
    else:
        told += "."
    persons = max((n for _, column, _, n, _ in held if column in ("user", "payer")), default=0)
    return (
        f"{told} The tables are about {plural(persons, 'person', 'persons')} under ids." if persons else told
    )


def _held(folder: Path, brief: Brief) -> tuple[list[Held], list[Finds]]:
    """Personal columns that hold something, and what the free texts look as if they held."""
    held: list[Held] = []
    finds: list[Finds] = []
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
            if column in _TEXTS and len(values):
                finds.append(look(f"{name}.{column}", [str(value) for value in values.to_pylist()]))
    return held, finds


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
