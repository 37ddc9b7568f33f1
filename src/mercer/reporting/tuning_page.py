"""What tuning tried, as one self-contained page: written from the files tuning/TARGET/MODEL.json alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from mercer.brief import Brief
from mercer.errors import DamagedError
from mercer.evaluation.leaderboard import number
from mercer.reporting import words
from mercer.reporting.charts import trials_plot
from mercer.reporting.figure import Figure, make_figure

Json = Mapping[str, Any]

STOPS: Mapping[str, str] = {
    "trials": "all trials made",
    "seconds": "time spent",
    "exhausted": "nothing left to try",
    "nothing-to-search": "no option to search",
    "failing": "given up: all failed",
    "interrupted": "interrupted",
}
"""What ended a model's search, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """One target on the page.

    models: as the files say it, the best first. flat: models whose trials all had one value. failures: model, trial,
    options and reason of each trial without a value. uneven: a sentence where budgets differ.
    """

    name: str
    metric: str
    higher: bool
    models: tuple[Json, ...]
    flat: tuple[str, ...]
    failures: tuple[tuple[str, str, str, str], ...]
    figures: tuple[Figure, ...]
    uneven: str


def write_tuning_page(folder: Path, brief: Brief) -> Path:
    """Write index.html into a folder of TARGET/MODEL.json files, whole or not at all, and return its path.

    Raises DamagedError for a file that can't be read.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("mercer.reporting", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": words.seconds, "number": _number, "signed": words.signed}
    styles = (Path(__file__).parent / "templates" / "page.css").read_text("utf-8")
    page = environment.get_template("tuning.html").render(
        brief=brief,
        targets=[view for name in brief.targets if (view := _target(folder, name)) is not None],
        stops=STOPS,
        styles=Markup(styles),  # noqa: S704 - made by this package
        svg=Markup,
        cite=lambda *_: "",
    )
    place = folder / "index.html"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".index.html.{os.getpid()}.part"
    draft.write_text(page, "utf-8")
    draft.replace(place)
    return place


def _target(folder: Path, name: str) -> TargetView | None:
    found = [_read(path) for path in sorted((folder / name).glob("*.json"))]
    if not found:
        return None
    higher = bool(found[0]["higher_is_better"])
    worst = float("-inf") if higher else float("inf")

    def goodness(one: Json) -> float:
        value = worst if one["best_value"] is None else float(one["best_value"])
        return -value if higher else value

    models = tuple(sorted(found, key=goodness))
    metric = str(found[0]["metric"])
    return TargetView(
        name=name,
        metric=metric,
        higher=higher,
        models=models,
        flat=tuple(str(one["model"]) for one in models if _values(one) == 1),
        failures=tuple(row for one in models for row in _failures(one)),
        figures=tuple(_figure(one, metric) for one in models if _values(one) > 1),
        uneven=uneven(models),
    )


def uneven(models: Sequence[Json]) -> str:
    """A sentence where the searched models had different budgets: then the better one may be the better tuned one."""
    searched = [one for one in models if one["stopped"] != "nothing-to-search"]
    cut = [one["model"] for one in searched if one["stopped"] in ("interrupted", "failing")]
    if cut:
        return (
            f"{', '.join(cut)}: the search ended before its budget did, so it is tuned less than the others."
        )
    if len({tuple(sorted(one["cost"]["budget"].items())) for one in searched}) > 1:
        return (
            "The models were tuned with different budgets, so a better one may only be the better tuned one."
        )
    return ""


def _read(path: Path) -> Json:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as fault:
        raise DamagedError(f"{path.name} is not JSON.", remedy="Tune again.") from fault
    if not isinstance(content, dict) or content.get("schema") != 1:
        raise DamagedError(f"{path.name} is not a tuning of schema 1.")
    return content


def _done(one: Json) -> list[Json]:
    return [trial for trial in one["trials"] if trial["value"] is not None]


def _failures(one: Json) -> list[tuple[str, str, str, str]]:
    return [
        (
            str(one["model"]),
            str(trial["number"]),
            ", ".join(f"{name}: {_option(value)}" for name, value in trial["options"].items()),
            str(trial["why"]),
        )
        for trial in one["trials"]
        if trial["state"] == "failed"
    ]


def _values(one: Json) -> int:
    """How many different values the trials had."""
    return len({trial["value"] for trial in _done(one)})


def _figure(one: Json, metric: str) -> Figure:
    done = _done(one)
    frame = pd.DataFrame(
        {"trial": [int(t["number"]) for t in done], "value": [float(t["value"]) for t in done]}
    )
    running = frame["value"].cummax() if one["higher_is_better"] else frame["value"].cummin()
    frame["best"] = running
    frame["role"] = ["best" if t["number"] == one["best"] else "tried" for t in done]
    names = list(done[0]["options"])
    caption = (
        f"{metric} on validation of every trial; the line is the best so far, the dashed one the defaults."
    )
    return make_figure(
        f"{one['target']}-{one['model']}",
        str(one["model"]),
        caption,
        trials_plot(frame, metric, one["default_value"]),
        ("trial", metric, "seconds", *names),
        [
            (
                f"{t['number']}",
                "failed: " + t["why"] if t["value"] is None else number(t["value"]),
                f"{t['seconds']:.1f}",
                *(_option(t["options"].get(name)) for name in names),
            )
            for t in one["trials"]
        ],
        (f"tuning/{one['target']}/{one['model']}.json",),
    )


def _option(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)
