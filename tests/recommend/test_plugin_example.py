"""The example of a ranker in another package keeps the contract, and its project file registers it."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from mercer.contracts import plugins

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ranker_plugin"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))


def test_the_entry_point_names_a_ranker_of_that_name() -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))
    ((name, place),) = project["project"]["entry-points"][plugins.RANKERS].items()
    module, _, attribute = place.partition(":")
    assert getattr(import_module(module), attribute).name == name


def test_its_own_tests_pass(pytester: pytest.Pytester) -> None:
    """Run as its author would run them: collected from its folder, with a result for every promise."""
    result = pytester.inline_run("-p", "no:cacheprovider", str(EXAMPLE / "tests"))
    passed, skipped, failed = result.listoutcomes()
    assert not failed
    assert not skipped
    assert len(passed) >= 25


@pytest.mark.parametrize("block", ["class SameCategory(ScoringRanker)", "RankerContract", "mercer.rankers"])
def test_the_how_to_shows_what_the_example_does(block: str) -> None:
    text = (EXAMPLE.parents[1] / "docs" / "how-to" / "add-a-ranker.md").read_text("utf-8")
    assert block in text
    assert "examples/ranker_plugin" in text
