"""The reference page says what the options are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mercer.language import finetuning
from mercer.language.finetuning import AdapterCard, FineTuningOptions
from mercer.training import TrainingOptions

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "finetuning.md").read_text("utf-8")
OWN = [
    name
    for name, field in FineTuningOptions.model_fields.items()
    if name not in TrainingOptions.model_fields or field.default != TrainingOptions.model_fields[name].default
]


@pytest.mark.parametrize("name", OWN)
def test_every_option_of_its_own_stands_with_its_default_and_meaning(name: str) -> None:
    field = FineTuningOptions.model_fields[name]
    [row] = re.findall(rf"^\| `{name}` \| `(.*?)` \| (.*?) \|$", PAGE, re.MULTILINE)
    assert row == (str(field.default), str(field.description))


def test_the_card_and_the_calls_are_explained() -> None:
    assert all(f"`{name}`" in PAGE for name in AdapterCard.__dataclass_fields__)
    assert all(
        name in PAGE for name in ("finetune", "estimate_finetuning", "merged", "store_model", "store_merged")
    )
    assert {"finetune", "merged", "store_model"} <= set(finetuning.__all__)
