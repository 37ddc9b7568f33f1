"""The reference page says what the options and the report are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mercer.contracts import Options
from mercer.language.semantic_ids import CodebookReport, IdOptions, ResidualKmeans, RqVae, VectorOptions
from mercer.language.semantic_ids.kinds import KINDS
from mercer.language.semantic_ids.options import CodebookOptions
from mercer.training import TrainingOptions

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "semantic-ids.md").read_text("utf-8")


def own(options: type[Options], *bases: type[Options]) -> list[tuple[str, str, str]]:
    """Name, default and description of what the bases do not have with the same default."""
    return [
        (name, str(field.default), str(field.description))
        for name, field in options.model_fields.items()
        if not any(
            name in base.model_fields and base.model_fields[name].default == field.default for base in bases
        )
    ]


@pytest.mark.parametrize(
    "option",
    [
        *own(VectorOptions),
        *own(CodebookOptions),
        *own(ResidualKmeans.Options, CodebookOptions),
        *own(RqVae.Options, CodebookOptions, TrainingOptions),
    ],
    ids=lambda option: option[0],
)
def test_every_option_stands_with_its_default_and_meaning(option: tuple[str, str, str]) -> None:
    name, *rest = option
    assert tuple(rest) in re.findall(rf"^\| `{name}` \| `(.*?)` \| (.*?) \|$", PAGE, re.MULTILINE)


def test_kinds_options_and_the_report_are_explained() -> None:
    assert all(f"`{name}`" in PAGE for name in (*KINDS, *IdOptions.model_fields))
    assert all(
        f"`{name}`" in PAGE
        for name in CodebookReport.__dataclass_fields__
        if name not in ("n_items", "sizes")
    )
