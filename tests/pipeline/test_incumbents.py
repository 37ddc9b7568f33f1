"""What the business used until now, as files beside a brief: opponents, rows of the leaderboard, words on the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from flow.house import linked_copy

import mercer
from mercer.brief import Brief
from mercer.errors import BriefError, DataError
from mercer.reporting import write_page
from pipeline.tuned_shop import brief_text

NEXT = {
    "task": "recommend", "models": ["most-popular", "item-knn"],
    "split": {"kind": "temporal", "test_from": "2026-08-01", "validation_days": 42},
}  # fmt: skip


def write_brief(folder: Path, **data: Any) -> Path:
    content = yaml.safe_load(brief_text(["past-rate", "logistic-regression"]))
    content["targets"]["next-item"] = NEXT
    content["data"] |= data
    if data:
        content["decision"] |= {"against": "incumbent"}
    place = folder / "brief.yaml"
    place.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return place


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without incumbents, its cache, and the files of a business that ranked and scored by itself."""
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(folder / "cache"))
        run = mercer.run(write_brief(folder), folder / "run", until="evaluate")
    events = pd.read_parquet(run.path / "data" / "events.parquet")
    before = events[(events["kind"] == "purchase") & (events["time"] < "2026-08-01")]
    past = before.groupby("user").size().rename("orders").reset_index()
    past.assign(day="01.08.2026").to_csv(folder / "points.csv", index=False, sep=";")
    (past["orders"] / (past["orders"] + 3)).to_frame("value").assign(user=past["user"]).iloc[5:].to_parquet(
        folder / "chances.parquet"
    )
    top = list(before["item"].value_counts().index[:10])
    shown = [(user, item, place + 1) for user in past["user"] for place, item in enumerate(top)]
    tested = pd.read_parquet(run.path / "scores" / "next-item" / "most-popular.test.train.parquet")["unit"][0]
    lists = pd.DataFrame([*shown, ("nobody", top[0], 1), (tested, "withdrawn", 11)])
    lists.columns = pd.Index(["user", "item", "rank"])
    lists.to_csv(folder / "lists.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def own_cache(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_CACHE", str(linked_copy(shop / "cache", tmp_path / "cache")))


def test_probabilities_are_an_opponent_and_lists_a_row_of_another_target(shop: Path, tmp_path: Path) -> None:
    brief = write_brief(
        tmp_path, incumbent={"source": "chances.parquet"}, incumbents={"next-item": {"source": "lists.csv"}}
    )
    run = mercer.run(brief, tmp_path / "run", data=shop, until="evaluate")
    board = run.leaderboard
    assert board is not None
    for target, metrics in (("repurchase", {"auc", "brier", "ece"}), ("next-item", {"ndcg@10", "recall@10"})):
        found = {row.metric: row for row in board.find(target=target, model="incumbent", slice="all")}
        assert metrics <= set(found)
        assert {row.fit_on for row in found.values()} == {"none"}
        assert not any(row.selected for row in found.values())
    [popular] = board.find(
        target="next-item", model="most-popular", metric="ndcg@10", split="test", slice="all"
    )
    [shown] = board.find(target="next-item", model="incumbent", metric="ndcg@10", slice="all")
    assert shown.n == popular.n
    assert "withdrawn" not in shown.protocol["incumbent"]
    assert "1 row of items that the catalogue lacks left out" in shown.protocol["incumbent"]
    [chance] = board.find(target="repurchase", model="incumbent", metric="brier", slice="all")
    assert re.fullmatch(
        r"[1-5] of \d+ without a score, which count as the lowest", chance.protocol["incumbent"]
    )
    rivals = [c for c in board.comparisons if c.b == "incumbent" and c.slice == "all"]
    assert {c.target for c in rivals} == {"repurchase", "next-item"}
    assert any(c.slice != "all" for c in board.comparisons if c.b == "incumbent")
    assert (run.path / "scores" / "next-item" / "incumbent.test.none.parquet").is_file()
    page = write_page(run.path).read_text("utf-8")
    assert "The incumbent is the scores that the business used until now" in page
    assert "The incumbent is the lists that the business used until now" in page


def test_another_incumbent_is_not_another_test_set(shop: Path, tmp_path: Path) -> None:
    without = mercer.run(shop / "brief.yaml", tmp_path / "without", until="evaluate")
    brief = write_brief(tmp_path, incumbent={"source": "chances.parquet"})
    with_one = mercer.run(brief, tmp_path / "with", data=shop, until="evaluate")
    before, after = (run.manifest["test_looks"]["repurchase"] for run in (without, with_one))
    assert after > before


def test_points_decide_by_order_or_not_at_all(shop: Path, tmp_path: Path) -> None:
    source = {
        "source": "points.csv", "map": {"user": "user", "value": "orders", "as_of": "day"}, "day_first": True,
    }  # fmt: skip
    brief = write_brief(tmp_path, incumbent=source)
    with pytest.raises(BriefError, match="brier needs probabilities"):
        mercer.check(brief, data=shop)
    content = yaml.safe_load(brief.read_text("utf-8"))
    content["decision"]["metric"] = "auc"
    run = mercer.run(Brief.model_validate(content), tmp_path / "run", data=shop, until="evaluate")
    board = run.leaderboard
    assert board is not None
    assert {row.metric for row in board.find(model="incumbent")} == {"auc", "average-precision"}
    assert {c.metric for c in board.comparisons if c.b == "incumbent"} == {"auc"}
    assert {c.metric for c in board.comparisons if c.b == "past-rate"} | {
        c.metric for c in board.comparisons if c.b == "logistic-regression"
    } == {"auc", "brier"}


def test_a_wrong_file_is_said_before_anything_is_fitted(shop: Path, tmp_path: Path) -> None:
    brief = write_brief(tmp_path, incumbent={"source": "lists.csv"})
    with pytest.raises(DataError, match="The incumbent of repurchase has no column 'value' or 'score'"):
        mercer.run(brief, tmp_path / "run", data=shop)
    assert not (tmp_path / "run" / "models").exists()
    gone = write_brief(
        tmp_path, incumbents={"next-item": {"source": "gone.csv"}}, incumbent={"source": "chances.parquet"}
    )
    with pytest.raises(DataError, match=r"gone\.csv"):
        mercer.run(gone, tmp_path / "run", data=shop)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"incumbents": {"next": {"source": "lists.csv"}}}, "'next' is no target.*'next-item'"),
        (
            {"incumbent": {"source": "a"}, "incumbents": {"repurchase": {"source": "b"}}},
            "both answer 'repurchase'",
        ),
    ],
)
def test_a_brief_that_can_not_mean_it_is_refused(tmp_path: Path, data: dict[str, Any], said: str) -> None:
    with pytest.raises(BriefError, match=said):
        Brief.load(write_brief(tmp_path, **data))
