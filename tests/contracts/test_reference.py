"""The reference of the contracts names what there is."""

from __future__ import annotations

from pathlib import Path

from mercer import contracts, recommend
from mercer.contracts import TABLES, plugins

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_every_table_and_column_is_in_the_reference() -> None:
    text = (DOCS / "contracts.md").read_text("utf-8")
    for table in TABLES.values():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{table.name}` |")]
        words = [cell.split()[0] for cell in line.split("|")[3].strip().split(", ")]
        assert [word.strip("*") for word in words] == list(table.column_names)
        required = {word.strip("*") for word in words if word.startswith("**")}
        assert required == {column.name for column in table.columns if column.required}


def test_every_ranker_and_option_is_in_the_reference_with_its_default() -> None:
    text = (DOCS / "recommend.md").read_text("utf-8")
    shared = set(recommend.SignalOptions.model_fields)
    for name in recommend.DEFAULTS:
        assert f"| `{name}` |" in text
        options = plugins.load(plugins.RANKERS, name).Options()
        for field in set(type(options).model_fields) - shared:
            assert f"| `{name}.{field}` | {getattr(options, field):g} |" in text


def test_the_door_of_the_contracts_is_sorted_and_whole() -> None:
    assert sorted(contracts.__all__, key=lambda name: (not name.isupper(), name)) == contracts.__all__
    assert all(hasattr(contracts, name) for name in contracts.__all__)
