"""A first brief, written from a guess at a data file's columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from mercer.brief import Brief
from mercer.data import Guess, guess_mapping
from mercer.errors import DataError


@dataclass(frozen=True, slots=True)
class Answers:
    """What no data file tells."""

    timezone: str = "UTC"
    currency: str = "EUR"
    jurisdictions: str = "EU"


def guesses(file: Path) -> Guess:
    """The guess at a file. Raises DataError when it holds no events: users, items and times."""
    if not file.is_file():
        raise DataError(f"{file}: no such file.", remedy="Give a CSV or Parquet file.")
    found = guess_mapping(file)
    if found.table != "events":
        missing = [name for name in ("user", "item", "time") if name not in found.map]
        raise DataError(
            f"{file.name}: no column looks like {', '.join(missing)} (columns: {', '.join(found.columns)}).",
            remedy="A brief starts from an event log: who did what with which item, and when.",
        )
    return found


def draft_brief(file: Path, found: Guess, answers: Answers) -> str:
    """A commented brief that loads; every line that a guess or an answer decided says so."""
    last = date.fromisoformat(found.last)
    decision = last + timedelta(days=1)
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-") or "shop"
    columns = {k: v for k, v in found.map.items() if k not in ("title", "label")}
    mapping = ", ".join(f"{canonical}: {_quoted(own)}" for canonical, own in columns.items())
    items = ""
    if "title" in found.map:
        columns_of_items = f"item: {_quoted(found.map['item'])}, title: {_quoted(found.map['title'])}"
        items = f"\n  items: {{source: {file.name}, map: {{{columns_of_items}}}}}"
    zone = (
        f"\n    timezone: {answers.timezone}        # answered: the file's times carry no zone"
        if "timezone" in found.unknown
        else ""
    )
    money = (
        f"\n    currency: {answers.currency}        # answered: the file names no currency"
        if "currency" in found.unknown
        else ""
    )
    text = f"""# A first brief for {file.name}. Every key: docs/reference/brief.md
schema: 1
name: {name}
question: Which products should we show each customer, and who will buy again?
owner_role: growth
decision:
  date: {decision}          # guessed: the day after the last event
  target: next-item
  metric: ndcg@10
  against: most-popular      # what a model must beat
  least_gain: {{relative: 0.02}}
data:
  events:
    source: {file.name}
    map: {{{mapping}}}   # guessed from names and contents{zone}{money}{items}
jurisdictions: [{answers.jurisdictions}]
purposes: [recommendation, analytics]
governance: {{tier: moderate, owner_role: growth, validator_role: model-risk}}
targets:
  next-item:  {{task: recommend, repeats: true, models: auto}}
  repurchase: {{task: behavior, kind: probability, event: purchase, horizon_days: {_horizon(found)}, models: auto}}
# value: {{margin: 0.30, contact_cost: 0.50}}   # give these two, and the page says what it is worth
accept: []                   # rules that can't be assessed: {{rule, role, reason, until}}
"""
    Brief.parse(text, name="the draft")
    return text


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else "'" + name.replace("'", "''") + "'"


def _horizon(found: Guess) -> int:
    """A fifth of the log's days, at most 90, so that training, validation and test windows fit."""
    span = (date.fromisoformat(found.last) - date.fromisoformat(found.first)).days
    return max(1, min(90, span // 5))
