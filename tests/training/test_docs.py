from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from mercer.contracts import Runtime
from mercer.training import TrainingOptions, TrainingRecord

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "training.md").read_text("utf-8")


@pytest.mark.parametrize("name", TrainingOptions.model_fields)
def test_every_option_stands_with_its_default_and_meaning(name: str) -> None:
    field = TrainingOptions.model_fields[name]
    [row] = re.findall(rf"^\| `{name}` \| `(.*?)` \| (.*?) \|$", PAGE, re.MULTILINE)
    assert row[0] == str(field.default)
    assert row[1].startswith(str(field.description))


@pytest.mark.parametrize("name", [*TrainingRecord.__dataclass_fields__])
def test_every_field_of_the_record_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_runtime_is_explained() -> None:
    assert all(f"`{one.name}`" in PAGE for one in fields(Runtime) if one.name != "cache_folder")
