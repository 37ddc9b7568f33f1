"""The profile of a cleaned data folder: every section that its tables allow."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.data.profile import (
    accounts,
    baskets,
    catalogue,
    concentration,
    drift,
    flat,
    growth,
    histories,
    judged,
    missing,
    outliers,
    personal,
    prices,
    repeats,
    seasonality,
)
from mercer.data.profile.accounts import Accounts
from mercer.data.profile.log import Log, load_log
from mercer.data.profile.page import write
from mercer.data.profile.section import Page, Section, Tile
from mercer.data.profile.words import count, day, plural, share
from mercer.errors import DamagedError


def write_profile(folder: Path, brief: Brief) -> None:
    """Write profile.html into a folder of canonical tables: one page that asks nothing of a network.

    The same tables and brief give the same bytes. A table that the folder lacks leaves its sections out.
    Raises DamagedError for a table that can't be read, OutputError when the page can't be written.
    """
    found = accounts.load_accounts(folder)
    events = brief.data.events
    log = load_log(folder, _zone(brief), has_clock=events is None or events.has_clock)
    sections = (
        accounts.section(found),
        *(_of_log(log, folder, brief) if log is not None else (catalogue.section(folder),)),
        judged.section(folder, brief),
        *flat.sections(folder, brief),
        missing.section(folder),
        personal.section(folder, found, brief),
    )
    page = Page(
        kicker=f"{brief.name} · profile of the data · for the decision of {brief.decision.day.day} "
        f"{brief.decision.day:%B %Y}",
        title="What the data hold",
        lead=_lead(log, brief),
        tiles=_tiles(log, found),
        sections=tuple(section for section in sections if section is not None),
        footer="Everything after the first section counts rows that were kept. Items appear under the titles of "
        "the data; no customer is named.",
    )
    write(page, folder / "profile.html")


def _zone(brief: Brief) -> str:
    events = brief.data.events
    return events.timezone if events is not None and events.timezone else "UTC"


def _lead(log: Log | None, brief: Brief) -> str:
    asked = f"The brief asks: {brief.question}"
    if log is None:
        return f"{asked} There is no event log, so this page shows what the other tables hold."
    if not log.has_clock:
        return f"{asked} Here is what {plural(log.n, 'event')} in order, without a clock, can and can’t say."
    span = f"from {day(int(log.time.min()))} to {day(int(log.time.max()))}"
    return f"{asked} Here is what {plural(log.n, 'event')} {span} can and can’t say."


def _of_log(log: Log, folder: Path, brief: Brief) -> tuple[Section | None, ...]:
    if not log.has_clock:
        return (
            histories.section(log),
            concentration.section(log, brief, _titles(folder)),
            prices.section(log, brief),
        )
    return (
        growth.section(log, brief),
        seasonality.section(log, brief),
        baskets.section(log, brief),
        repeats.section(log, brief),
        concentration.section(log, brief, _titles(folder)),
        prices.section(log, brief),
        outliers.section(log),
        drift.section(log, brief, folder),
    )


def _titles(folder: Path) -> dict[str, str]:
    """Item to title, where there is a catalogue."""
    place = folder / "items.parquet"
    if not place.is_file():
        return {}
    try:
        table = pq.read_table(place, columns=["item", "title"])
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError("items.parquet can't be read.", remedy="Clean the data again.") from fault
    return dict(zip(table.column("item").to_pylist(), table.column("title").to_pylist(), strict=True))


def _tiles(log: Log | None, found: Accounts) -> tuple[Tile, ...]:
    tiles = []
    read, kept = (sum(int(facts[key]) for facts in found.values()) for key in ("read", "kept"))
    if log is None:
        return (
            (Tile(label="rows read", value=count(read)), Tile(label="rows kept", value=count(kept)))
            if read
            else ()
        )
    if "events" in found:
        facts = found["events"]
        note = f"{share(facts['kept'], facts['read'])} of {count(facts['read'])} read"
        tiles.append(Tile(label="events kept", value=count(log.n), note=note))
    else:
        tiles.append(Tile(label="events", value=count(log.n)))
    customers, items = log.n_users, log.n_items
    tiles += [
        Tile(label="customers", value=count(customers), note="with an event"),
        Tile(label="items", value=count(items), note="with an event"),
    ]
    if log.has_clock and not log.orders.empty:
        per = len(log.orders) / max(log.orders["user"].nunique(), 1)
        tiles.append(Tile(label="orders", value=count(len(log.orders)), note=f"{per:.1f} a buyer"))
    if log.has_money:
        net = float(log.amount[log.is_net].sum())
        tiles.append(Tile(label="net revenue", value=log.say(net), note="purchases less returns"))
    return tuple(tiles)
