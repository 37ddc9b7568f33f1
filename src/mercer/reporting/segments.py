"""Segments of customers, as the data step found them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mercer.errors import DamagedError
from mercer.reporting.run_files import RunFiles
from mercer.reporting.words import money
from mercer.reporting.worth import currency_of

FILE = "data/segments.json"


def segments_view(files: RunFiles) -> list[Mapping[str, Any]]:
    """Every way in which customers were divided: by, customers, sentence and rows; none where the run has none.

    A row holds the group's name, its size, and as texts its shares and the customer in its middle.
    Raises DamagedError for a file that can't be read.
    """
    place = files.path / FILE
    if not place.is_file():
        return []
    try:
        views = json.loads(place.read_text("utf-8"))["views"]
        currency = currency_of(files)
        return [
            {
                "by": view["by"],
                "customers": view["customers"],
                "sentence": view["sentence"],
                "counts": "days with a purchase"
                if any(s["recency"] is not None for s in view["segments"])
                else "purchases",
                "rows": [_row(one, currency) for one in view["segments"]],
            }
            for view in views
        ]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DamagedError(f"{FILE} can't be read.", remedy="Run mercer again.") from fault


def _row(one: Mapping[str, Any], currency: str) -> Mapping[str, Any]:
    recency, name = one["recency"], str(one["sentence"]).rsplit(":", 1)[0]
    return {
        "name": name,
        "customers": one["customers"],
        "share": _percent(one["share"]),
        "spend_share": _percent(one["spend_share"]) if one["money"] else "–",
        "recency": "–" if recency is None else f"{recency:.0f} day{'' if round(recency) == 1 else 's'}",
        "frequency": f"{one['frequency']:.0f}",
        "money": money(one["money"], currency) if one["money"] else "–",
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
