"""Columns that may know the answer, and how groups of people fare, for the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mercer.reporting.run_files import RunFiles

LEAKS, GROUPS = "leaks.json", "groups.json"

_SHOWN = (
    ("selected", "selected"),
    ("base_rate", "had the outcome"),
    ("true_positive_rate", "found of these"),
    ("false_positive_rate", "wrongly selected"),
    ("calibration_gap", "said less seen"),
    ("auc", "auc"),
)


def people_view(files: RunFiles) -> Mapping[str, Any]:
    """leaks: (target, sentences). audits: one a target and attribute, with formatted rows."""
    leaks, groups = (_read(files, name) for name in (LEAKS, GROUPS))
    audits = []
    for target, audit in groups.items():
        attributes = dict.fromkeys(one["attribute"] for one in audit["groups"])
        for attribute in attributes:
            members = [one for one in audit["groups"] if one["attribute"] == attribute]
            audits.append(
                {
                    "target": target,
                    "model": audit["model"],
                    "share": f"{audit['share']:.0%}",
                    "attribute": attribute,
                    "heads": [head for _, head in _SHOWN],
                    "rows": [_row(one) for one in members],
                    "sentence": _sentence(members),
                }
            )
    return {
        "leaks": [(target, [one["sentence"] for one in found]) for target, found in leaks.items() if found],
        "audits": audits,
    }


def _read(files: RunFiles, name: str) -> Mapping[str, Any]:
    place = files.path / name
    content: Mapping[str, Any] = json.loads(place.read_text("utf-8")) if place.is_file() else {}
    return content


def _row(one: Mapping[str, Any]) -> Mapping[str, Any]:
    cells = []
    for name, _ in _SHOWN:
        rate, gap = one["rates"][name], one["gaps"][name]
        differs = one["group"] != one["reference"] and gap["low"] is not None
        differs = differs and (gap["low"] > 0 or gap["high"] < 0)
        cells.append({"text": _number(rate), "differs": differs})
    return {"group": one["group"], "n": f"{one['n']:,}", "cells": cells}


def _number(bounded: Mapping[str, float | None]) -> str:
    if bounded["value"] is None:
        return "–"
    if bounded["low"] is None:
        return f"{bounded['value']:.3f}"
    return f"{bounded['value']:.3f} [{bounded['low']:.3f}, {bounded['high']:.3f}]"


def _sentence(members: list[Mapping[str, Any]]) -> str:
    """Which groups are selected more or less often than the largest, beyond chance."""
    reference = members[0]["group"]
    said = []
    for one in members[1:]:
        gap = one["gaps"]["selected"]
        if gap["low"] is not None and (gap["low"] > 0 or gap["high"] < 0):
            ratio = one["ratio"]
            said.append(
                f"{one['group']} {ratio['value']:.2f} times as often [{ratio['low']:.2f}, {ratio['high']:.2f}]"
            )
    if not said:
        return f"No group is selected more or less often than {reference} beyond chance."
    return f"Selected, against {reference}: {'; '.join(said)}."
