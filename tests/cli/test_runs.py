"""run and its steps, evaluate --rankings, compare, runs: leaderboards in the terminal and for machines."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from flow.house import House, linked_copy

from cli.typed import Typed


@pytest.fixture
def own_copy(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own that knows all that the house's cache knows."""
    cache = linked_copy(house.cache, tmp_path / "own-cache")
    monkeypatch.setenv("MERCER_CACHE", str(cache))
    return cache


def test_run_prints_leaderboard_decision_and_places(
    mercer: Typed, house: House, house_cache: Path, tmp_path: Path
) -> None:
    said = mercer("run", house.brief_file, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    for part in (
        "next-item",
        "item-knn",
        "find",
        "repurchase",
        "Page:",
        "report.html",
        "Release:",
        "mercer serve",
    ):
        assert part in said.out, part
    assert "from an earlier run" in said.err
    assert "Traceback" not in said.err


def test_run_prints_one_document_for_machines(
    mercer: Typed, house: House, house_cache: Path, tmp_path: Path
) -> None:
    told = json.loads(mercer("run", house.brief_file, "--out", tmp_path / "run", "--json").out)
    assert told["exit_code"] == 0
    assert set(told["selected"]) == set(house.brief.targets)
    assert told["leaderboard"]["schema"] == 1
    assert told["gates"]["verdict"] == "pass"
    assert told["decision"]["verdict"] in ("ship", "need-more-data", "do-not-ship")
    assert Path(told["page"]).is_file()
    assert Path(told["release"]).is_dir()


@pytest.mark.parametrize(
    ("command", "written", "absent"),
    [
        ("fit", "models", "leaderboard.json"),
        ("evaluate", "leaderboard.json", "gates.json"),
        ("gate", "gates.json", "report.html"),
        ("report", "report.html", "release"),
        ("release", "release", "nothing"),
    ],
)
def test_every_step_is_a_command(
    mercer: Typed, house: House, house_cache: Path, tmp_path: Path, command: str, written: str, absent: str
) -> None:
    said = mercer(command, house.brief_file, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert (tmp_path / "run" / written).exists()
    assert not (tmp_path / "run" / absent).exists()
    assert ("Rules in force" in said.out) == (command == "gate")


def test_rankings_of_another_system_are_scored_like_the_models(
    mercer: Typed, house: House, own_copy: Path, tmp_path: Path
) -> None:
    lists = pd.read_parquet(house.folder / "scores" / "next-item" / "item-knn.test.train.lists.parquet")
    file = tmp_path / "ours.csv"
    lists.rename(columns={"position": "rank"})[["unit", "item", "rank"]].to_csv(file, index=False)
    words = ("evaluate", house.brief_file, "--rankings", file, "--name", "ours", "--out", tmp_path / "run")
    board = json.loads(mercer(*words, "--json").out)
    value = {
        row["model"]: row["value"]
        for row in board["rows"]
        if (row["target"], row["split"], row["metric"], row["slice"])
        == ("next-item", "test", "ndcg@10", "all")
    }
    assert value["ours"] == pytest.approx(value["item-knn"], abs=0.02)
    assert any("ours" in (one["a"], one["b"]) for one in board["comparisons"])
    said = mercer(*words)
    assert said.code == 0
    assert "ours" in said.out
    ledger = (own_copy / "test-looks.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["model"] for line in ledger].count("ours") == 1


def test_rankings_with_an_unknown_item_are_refused(
    mercer: Typed, house: House, own_copy: Path, tmp_path: Path
) -> None:
    lists = pd.read_parquet(house.folder / "scores" / "next-item" / "item-knn.test.train.lists.parquet")
    file = tmp_path / "ours.csv"
    lists.rename(columns={"position": "rank"})[["unit", "item", "rank"]].replace(
        {"item": {lists["item"].iloc[0]: "NO-SUCH"}}
    ).to_csv(file, index=False)
    said = mercer("evaluate", house.brief_file, "--rankings", file, "--out", tmp_path / "run")
    assert said.code == 2
    assert "not in the catalogue (first rows: 1" in said.sentence


def test_runs_are_listed(mercer: Typed, house: House) -> None:
    said = mercer("runs", house.folder.parent)
    assert said.code == 0
    [told] = json.loads(mercer("runs", house.folder.parent, "--json").out)
    assert told["gates"] == "pass"
    assert told["release"] is True
    assert told["selected"]["next-item"] == house.run.manifest["selected"]["next-item"]["model"]


def test_a_run_compared_with_itself_is_no_different(mercer: Typed, house: House) -> None:
    said = mercer("compare", house.folder, house.folder)
    assert said.code == 0, said.err
    assert "no-difference" in said.out
    told = json.loads(
        mercer(
            "compare", house.folder, house.folder, "--target", "repurchase", "--metric", "brier", "--json"
        ).out
    )
    assert told["difference"] == 0
    assert told["verdict"] == "no-difference"


@pytest.mark.parametrize(("option", "value"), [("--target", "repurchse"), ("--metric", "ndgc@10")])
def test_comparing_by_what_is_not_there(mercer: Typed, house: House, option: str, value: str) -> None:
    said = mercer("compare", house.folder, house.folder, option, value)
    assert said.code == 2
    assert value in said.sentence
    assert "Traceback" not in said.err
