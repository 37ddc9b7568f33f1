"""The public door: names, commands and keys that other people's code and files rely on.

Adding is fine and means a line here; a line that goes away breaks somebody and needs a major version.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from pydantic import BaseModel

import mercer
import mercer.testing
from mercer import brief
from mercer.cli.app import app

ROOMS = (
    "behavior", "compliance", "contracts", "data", "evaluation", "features", "language", "pipeline", "recommend",
    "release", "reporting", "search", "serving", "simulate", "training",
)  # fmt: skip

CONTRACTS = {
    "customers",
    "decoders",
    "encoders",
    "gates",
    "handmade",
    "injections",
    "predictors",
    "rankers",
    "small_shop",
    "stores",
    "table_examples",
    "tables",
    "trainees",
    "understanding",
}
"""Modules of mercer.testing; a plug-in's tests import them by name."""

COMMANDS = {
    "cases close", "cases list", "cases show", "check", "compare", "data clean", "data get", "data profile",
    "demo", "doctor",
    "evaluate", "export", "fit", "forget", "gate", "init", "keys create",
    "models ask", "models finetune", "models import", "models list", "models merge",
    "release", "report", "run", "runs", "serve", "tune",
}  # fmt: skip

KEYS = {
    "Brief": {
        "schema", "name", "question", "owner_role", "decision", "data", "columns", "jurisdictions", "packs_date",
        "purposes", "governance", "targets", "value", "tuning", "fit", "accept", "language",
    },
    "Language": {"remote"},
    "RemoteModel": {"allowed", "base_url", "purposes", "fields", "role", "reason", "until"},
    "Decision": {"date", "target", "metric", "against", "least_gain", "guardrails"},
    "Gain": {"relative", "absolute"},
    "Guardrail": {"metric", "min", "max"},
    "Data": {
        "simulate", "events", "items", "users", "consents", "requests", "impressions", "outcomes", "treatments",
        "judgments", "payments", "examples", "incumbent", "incumbents", "rules_off", "rules_on",
    },
    "Source": {
        "source", "query", "map", "delimiter", "encoding", "decimal", "thousands", "day_first",
        "timezone", "currency", "kind", "label",
        "positive",
    },
    "ColumnNote": {"means", "purposes", "protected", "type"},
    "Split": {"kind", "test_from", "validation_days", "test_days", "folds", "repeats", "by"},
    "Tuned": {"trials", "seconds", "budget", "ended", "data", "options"},
    "RecommendTarget": {
        "task", "models", "metric", "options", "tuned", "repeats", "kinds", "split", "fallback",
    },
    "SearchTarget": {"task", "models", "metric", "options", "tuned", "split"},
    "BehaviorTarget": {
        "task", "models", "metric", "options", "tuned", "kind", "label", "event", "net", "entity", "horizon_days",
        "origins", "label_delay_days", "effect", "capacity_per_day", "adverse", "split", "exclude_columns",
        "train_days",
        "test_days", "exclude",
    },
    "Value": {"margin", "contact_cost"},
    "Tuning": {"trials", "seconds"},
    "Fit": {"seconds", "money", "seeds", "refit"},
    "Governance": {"tier", "owner_role", "validator_role", "attestations"},
    "Acceptance": {"rule", "role", "reason", "until"},
}  # fmt: skip


def test_the_names_of_the_package() -> None:
    assert set(mercer.__all__) == {
        "Brief",
        "Run",
        "__version__",
        "check",
        "evaluate_rankings",
        "load",
        "run",
        "tune",
    }
    assert set(dir(mercer)) == set(mercer.__all__)
    for name in mercer.__all__:
        assert getattr(mercer, name) is not None
    with pytest.raises(AttributeError, match="'fit'"):
        _ = mercer.fit  # type: ignore[attr-defined]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_is_public(room: str) -> None:
    module = importlib.import_module(f"mercer.{room}")
    assert module.__doc__
    names = module.__all__
    assert list(names) == list(dict.fromkeys(names))
    for name in names:
        assert not name.startswith("_") or name == "__version__"
        assert getattr(module, name, None) is not None, f"mercer.{room}.{name}"


def test_there_is_no_other_room() -> None:
    packages = {module.name for module in pkgutil.iter_modules(mercer.__path__) if module.ispkg}
    assert packages == {*ROOMS, "cli", "testing"}
    assert {module.name for module in pkgutil.iter_modules(mercer.testing.__path__)} == CONTRACTS


def test_the_commands() -> None:
    assert set(leaves(typer.main.get_command(app))) == COMMANDS


def leaves(command: Any, path: str = "") -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path.strip()
        return
    for name, child in children.items():
        yield from leaves(child, f"{path} {name}")


@pytest.mark.parametrize("part", sorted(KEYS))
def test_the_keys_of_a_brief(part: str) -> None:
    model: type[BaseModel] = getattr(brief, part)
    assert {field.alias or name for name, field in model.model_fields.items()} == KEYS[part]


def test_every_part_of_a_brief_is_held_here() -> None:
    parts = {
        name
        for name, value in vars(brief).items()
        if isinstance(value, type)
        and issubclass(value, brief.Part)
        and value not in (brief.Part, brief.TargetBase)
    }
    assert parts == set(KEYS)


def test_schema_numbers() -> None:
    assert brief.SCHEMA == 1
    assert importlib.import_module("mercer.evaluation.leaderboard").SCHEMA == 1
