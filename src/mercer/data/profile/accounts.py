"""What was read, kept, quarantined and merged, and by which rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.words import count, listed, plural, share
from mercer.errors import DamagedError

DONE = {
    "quarantine": "quarantined",
    "relabel": "relabelled",
    "redact": "redacted",
    "fill": "mended",
    "merge": "merged",
}
"""Action to what rows were."""

_MUCH = 0.1
"""Share in quarantine that a reader should know of."""

Accounts = Mapping[str, Mapping[str, Any]]
"""Table name to read, kept, quarantined, merged and rules."""


def load_accounts(folder: Path) -> Accounts:
    """The tables of accounting.json; none when the file is absent. Raises DamagedError when it can't be read."""
    place = folder / "accounting.json"
    if not place.is_file():
        return {}
    try:
        tables: Accounts = json.loads(place.read_text("utf-8"))["tables"]
    except (OSError, ValueError, KeyError) as fault:
        raise DamagedError("accounting.json can't be read.", remedy="Clean the data again.") from fault
    return tables


def section(accounts: Accounts) -> Section | None:
    """Rows by table, and every rule that acted."""
    if not accounts:
        return None
    main = "events" if "events" in accounts else max(accounts, key=lambda name: int(accounts[name]["read"]))
    facts = accounts[main]
    acted = [rule for rule in facts["rules"] if rule["count"] and rule["action"] == "quarantine"]
    acted.sort(key=lambda rule: -rule["count"])
    causes = [f"{rule['rule']} ({count(rule['count'])})" for rule in acted[:3]]
    finding = (
        f"Of {plural(facts['read'], 'row')} of {main}, {count(facts['kept'])} ({share(facts['kept'], facts['read'])}) "
        f"are kept and {count(facts['quarantined'])} stand in quarantine"
        + (f", most of them under {listed(causes)}." if causes else ".")
    )
    watch = ""
    if facts["quarantined"] > _MUCH * facts["read"] and acted:
        watch = (
            f"{share(facts['quarantined'], facts['read'])} of the rows of {main} are not used, "
            f"{count(acted[0]['count'])} of them under {acted[0]['rule']}: no model hears of them."
        )
    quiet = sum(not rule["count"] for table in accounts.values() for rule in table["rules"])
    notes = (f"{plural(quiet, 'further rule')} looked and found nothing.",) if quiet else ()
    return Section(
        id="read",
        title="What was read and kept",
        finding=finding,
        meaning="Every row read is kept, quarantined with its rule and reason, or merged into a row that repeats it; "
        "nothing is dropped unseen. The models see the kept rows only.",
        watch=watch,
        grids=tuple(grid for grid in (_tables(accounts), _rules(accounts)) if grid.rows),
        notes=notes,
    )


def _tables(accounts: Accounts) -> Grid:
    rows = tuple(
        (
            name,
            count(facts["read"]),
            count(facts["kept"]),
            count(facts.get("merged", 0)),
            count(facts["quarantined"]),
            share(facts["quarantined"], facts["read"]),
            facts["quarantined"] / facts["read"] if facts["read"] else 0.0,
        )
        for name, facts in accounts.items()
    )
    names = ("read", "kept", "merged", "quarantined", "of read")
    return Grid(
        columns=(
            Column(name="table"),
            *(Column(name=name, align="right") for name in names),
            Column(name="", bar=True),
        ),
        rows=rows,
    )


def _rules(accounts: Accounts) -> Grid:
    rows = [
        (
            name,
            rule["rule"],
            rule["sentence"],
            DONE.get(rule["action"], rule["action"]),
            count(rule["count"]),
            share(rule["count"], facts["read"]),
        )
        for name, facts in accounts.items()
        for rule in facts["rules"]
        if rule["count"]
    ]
    return Grid(
        title="The rules that acted, in their order",
        columns=(
            Column(name="table"),
            Column(name="rule"),
            Column(name="why"),
            Column(name="rows were"),
            Column(name="rows", align="right"),
            Column(name="of read", align="right"),
        ),
        rows=tuple(rows),
    )
