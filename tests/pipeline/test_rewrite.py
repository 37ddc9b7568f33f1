"""Options go into a brief's text where they belong, and every other line stays to the letter."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import Brief, Tuned, Tuning
from mercer.errors import BriefError
from mercer.pipeline.rewrite import store, with_options, write_options

BUDGET = Tuning(trials=20, seconds=600)
COST = Tuned(
    trials=20,
    seconds=12.5,
    budget=BUDGET,
    ended="trials",
    data="1234567890123456",
    options="0123456789012e45",
)
LATER = Tuned(
    trials=3,
    seconds=1.5,
    budget=BUDGET,
    ended="interrupted",
    data="fedcba9876543210",
    options="0000000000000000",
)

BLOCK = """\
schema: 1
name: shop          # lower case
question: "Which next?"
decision: {date: 2026-08-01, target: next-item}
data:
  events: {source: log.csv,  map: {user: who}}   # as it comes
targets:
  # what matters
  next-item:
    task: recommend
    models:
      - most-popular
      - item-knn   # neighbours

  # what else
  spend:      {task: behavior, kind: amount, of: purchase,
               models: auto}   # over two lines
# the end
purposes: [recommendation]
"""


def parsed(text: str) -> Brief:
    return Brief.parse(text)


def changes(old: str, new: str) -> tuple[list[str], list[str]]:
    """Lines that went, lines that came."""
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    return [x[2:] for x in lines if x[0] == "-"], [x[2:] for x in lines if x[0] == "+"]


def test_a_block_gets_lines_and_loses_none() -> None:
    new = store(BLOCK, {"next-item": {"item-knn": ({"decay": 0.51, "window": None}, COST)}})
    gone, came = changes(BLOCK, new)
    assert gone == []
    assert came == [
        "    options:",
        "      item-knn: {decay: 0.51, window: null}",
        "    tuned:",
        "      item-knn: {trials: 20, seconds: 12.5, budget: {trials: 20, seconds: 600.0}, ended: trials, "
        "data: '1234567890123456', options: 0123456789012e45}",
    ]
    assert new.index("options:") < new.index("# what else")
    assert parsed(new).targets["next-item"].tuned["item-knn"] == COST


def test_a_mapping_in_braces_gets_keys_before_its_brace() -> None:
    new = store(BLOCK, {"spend": {"lightgbm": ({"trees": 80}, COST)}})
    gone, came = changes(BLOCK, new)
    assert gone == ["               models: auto}   # over two lines"]
    assert len(came) == 1
    assert came[0].startswith("               models: auto, options: {lightgbm: {trees: 80}}, tuned: {")
    assert came[0].endswith("}   # over two lines")


@pytest.mark.parametrize("target", ["next-item", "spend"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_tuned_again_it_replaces_what_it_wrote(target: str, line_end: str) -> None:
    text = BLOCK.replace("\n", line_end)
    first = store(text, {target: {"a": ({"x": 1}, COST), "b": ({"y": "no"}, COST)}})
    again = store(first, {target: {"a": ({"x": 2}, LATER)}})
    assert parsed(again).targets[target].options == {"a": {"x": 2}, "b": {"y": "no"}}
    assert parsed(again).targets[target].tuned == {"a": LATER, "b": COST}
    assert again.count("\r") == (again.count("\n") if line_end == "\r\n" else 0)
    back = store(store(again, {target: {"a": ({}, LATER)}}), {target: {"b": ({}, LATER)}})
    assert parsed(back).targets[target].options == {}
    assert "options: {}" not in back
    assert len(back.splitlines()) <= len(again.splitlines())


@pytest.mark.parametrize("name", ["demo", "online-retail", "beauty", "shopper-intention", "german-credit"])
def test_the_briefs_of_this_project_can_be_written_into(name: str) -> None:
    text = (Path(__file__).parents[2] / "briefs" / f"{name}.yaml").read_text("utf-8")
    brief = parsed(text)
    found = {target: {"a-model": ({"x": 0.25}, COST)} for target in brief.targets}
    new = store(text, found)
    assert parsed(new) == with_options(brief, found)
    kept = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in new.splitlines() if line.lstrip().startswith("#")] == kept


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)
OPTIONS = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), PLAIN, max_size=4)


@given(
    st.lists(st.tuples(st.sampled_from(["next-item", "spend"]), st.sampled_from("ab"), OPTIONS), max_size=4)
)
def test_whatever_the_options_are_the_file_says_what_the_brief_says(
    writes: list[tuple[str, str, dict[str, Any]]],
) -> None:
    text, brief = BLOCK, parsed(BLOCK)
    for target, model, options in writes:
        found = {target: {model: (options, COST)}}
        text, brief = store(text, found), with_options(brief, found)
        assert parsed(text) == brief
    assert text.startswith(BLOCK[: BLOCK.index("    models:")])
    assert text.endswith("# the end\npurposes: [recommendation]\n")


def test_what_a_person_changed_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "brief.yaml"
    file.write_text(BLOCK.replace("Which next?", "Which, then?"), "utf-8")
    written = write_options(file, {"next-item": {"item-knn": ({"decay": 0.5}, COST)}})
    assert written.question == "Which, then?"
    assert Brief.load(file) == written


def test_a_target_that_went_away_is_said(tmp_path: Path) -> None:
    file = tmp_path / "brief.yaml"
    file.write_text(BLOCK, "utf-8")
    with pytest.raises(BriefError, match="'gone' is no longer there"):
        write_options(file, {"gone": {"item-knn": ({"decay": 0.5}, COST)}})
    assert file.read_text("utf-8") == BLOCK


def test_a_layout_that_can_not_be_edited_is_left_alone(tmp_path: Path) -> None:
    content = yaml.safe_load(BLOCK)
    shared = (
        "schema: 1\nname: shop\nquestion: q\ndecision: {date: 2026-08-01, target: b}\n"
        "data: {events: {source: log.csv}}\n"
        "targets:\n  a: &same\n    task: recommend\n  b: *same\n"
    )
    assert content["name"] == "shop"
    file = tmp_path / "brief.yaml"
    file.write_text(shared, "utf-8")
    with pytest.raises(BriefError, match="laid out so that options can't be put in"):
        write_options(file, {"b": {"item-knn": ({"decay": 0.5}, COST)}})
    assert file.read_text("utf-8") == shared
