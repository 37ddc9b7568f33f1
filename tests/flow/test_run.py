"""One run from data to release: what it exits with, writes, accounts for, selects and counts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

import mercer
from flow.house import House, cache_at, linked_copy, steps_done, without_timings
from mercer.brief import Brief
from mercer.evaluation import TestLooks
from mercer.pipeline import STAGES
from mercer.serving.erasure import altered


def test_the_gates_let_it_pass(house: House) -> None:
    assert house.run.exit_code == 0
    assert house.run.gates is not None
    assert house.run.gates["verdict"] == "pass"
    assert house.run.release == house.folder / "release"


def test_three_tasks_are_on_the_leaderboard(house: House) -> None:
    frame = house.run.frame()
    assert set(frame["task"]) == {"recommend", "search", "behavior"}
    assert set(frame["target"]) == set(house.brief.targets)
    tested = frame[(frame["split"] == "test") & frame["selected"]]
    assert set(tested["target"]) == set(house.brief.targets)


def test_a_run_folder_holds_what_the_design_names(house: House) -> None:
    for name in (
        "brief.yaml",
        "manifest.json",
        "data/events.parquet",
        "data/quarantine/events.parquet",
        "data/accounting.json",
        "data/profile.html",
        "leaderboard.json",
        "gates.json",
        "report.html",
        "evidence.jsonl",
        "release/release.json",
    ):
        assert (house.folder / name).is_file(), name
    board = house.run.leaderboard
    assert board is not None
    for target, model in {(row.target, row.model) for row in board.rows} - {("find", "nested-selection")}:
        folder = house.folder / "models" / target / model
        assert (folder / "options.yaml").is_file() or (folder / "predictor.json").is_file(), folder
        assert (folder / "card.md").is_file()
        assert list((house.folder / "scores" / target).glob(f"{model}.test.*.parquet"))


def test_a_run_folder_holds_nothing_half_written(house: House) -> None:
    assert [path for path in house.folder.rglob("*") if path.suffix in (".tmp", ".part", ".old")] == []


def test_the_resolved_brief_shows_every_default(house: House) -> None:
    assert mercer.Brief.load(house.folder / "brief.yaml") == house.brief
    text = (house.folder / "brief.yaml").read_text("utf-8")
    assert "horizon_days: 60" in text
    assert "rules_off: []" in text


def test_every_row_is_accounted_for(house: House) -> None:
    accounting = json.loads((house.folder / "data" / "accounting.json").read_text("utf-8"))
    assert set(accounting["tables"]) >= {"events", "items", "users", "consents", "requests", "judgments"}
    for name, count in accounting["tables"].items():
        assert count["kept"] + count["quarantined"] + count["merged"] == count["read"], name
        assert count["read"] == pq.read_metadata(house.raw / f"{name}.parquet").num_rows
        assert count["kept"] == pq.read_metadata(house.folder / "data" / f"{name}.parquet").num_rows
        put_aside = pd.read_parquet(house.folder / "data" / "quarantine" / f"{name}.parquet")
        assert len(put_aside) == count["quarantined"]
        by_rule = Counter(put_aside["rule"])
        for rule in count["rules"]:
            if rule["action"] == "quarantine":
                assert by_rule[rule["rule"]] == rule["count"], (name, rule["rule"])


def test_every_planted_fault_is_caught_under_its_rule(house: House) -> None:
    planted = house.truth.planted()
    assert set(planted["table"]) == {"events", "items", "requests", "judgments"}
    accounting = json.loads((house.folder / "data" / "accounting.json").read_text("utf-8"))
    for (table, rule), rows in planted.groupby(["table", "rule"]):
        [counted] = [one for one in accounting["tables"][table]["rules"] if one["rule"] == rule]
        put_aside = pd.read_parquet(house.folder / "data" / "quarantine" / f"{table}.parquet")
        caught = set(put_aside.loc[put_aside["rule"] == rule, "row"])
        if counted["action"] == "quarantine":
            assert set(rows["row"]) <= caught, (table, rule)
        else:
            assert counted["count"] >= len(rows), (table, rule)


def test_personal_data_typed_into_queries_are_redacted(house: House) -> None:
    typed = set(house.truth.personal()["request"])
    assert typed
    raw = pd.read_parquet(house.raw / "requests.parquet").set_index("request")["query"]
    kept = pd.read_parquet(house.folder / "data" / "requests.parquet").set_index("request")["query"]
    for request in typed & set(kept.index):
        assert kept[request] != raw[request], request
    untouched = kept.drop(index=list(typed & set(kept.index))).dropna()
    assert (untouched == raw[~raw.index.duplicated()].reindex(untouched.index)).all()


def test_nothing_but_planted_events_is_put_aside(house: House) -> None:
    planted = house.truth.planted()
    put_aside = pd.read_parquet(house.folder / "data" / "quarantine" / "events.parquet")
    assert set(put_aside["row"]) == set(planted.loc[planted["table"] == "events", "row"])


def test_selection_is_written_before_any_look_at_the_test(house: House) -> None:
    manifest = house.run.manifest
    looks = list(TestLooks(house.cache / "test-looks.jsonl").looks())
    for target, chosen in manifest["selected"].items():
        first = min(look["at"] for look in looks if look["target"] == target)
        assert datetime.fromisoformat(chosen["chosen_at"]) <= datetime.fromisoformat(first), target
    steps = [step["name"] for step in manifest["steps"]]
    last_selection = max(steps.index(f"select:{target}") for target in manifest["selected"])
    assert last_selection < min(number for number, name in enumerate(steps) if ":test" in name)


def test_the_model_selected_is_the_best_on_validation(house: House) -> None:
    frame = house.run.frame()
    for target, chosen in house.run.manifest["selected"].items():
        rows = frame[
            (frame["target"] == target)
            & (frame["split"] == "validation")
            & (frame["metric"] == chosen["metric"])
            & (frame["slice"] == "all")
        ]
        best = rows["value"].max() if chosen["metric"].startswith("ndcg") else rows["value"].min()
        if "picks" in chosen:
            picks = Counter(chosen["picks"].values())
            assert picks[chosen["model"]] == max(picks.values()), target
            best = rows.loc[rows["model"] == chosen["model"], "value"].item()
        assert chosen["value"] == best, target


def test_every_test_scoring_is_one_look(house: House) -> None:
    scorings = Counter(
        step["name"].split(":")[1] for step in house.run.manifest["steps"] if ":test" in step["name"]
    )
    assert house.run.manifest["test_looks"] == dict(scorings)


def test_the_manifest_knows_every_published_file(house: House) -> None:
    files = house.run.manifest["files"]
    for part in ("data", "scores", "models"):
        there = {
            path.relative_to(house.folder).as_posix()
            for path in (house.folder / part).rglob("*.*")
            if path.is_file()
        }
        assert there <= set(files)
    assert altered(house.folder, files) == []


def test_a_second_run_elsewhere_finds_every_step_and_adds_no_look(house: House, tmp_path: Path) -> None:
    again = mercer.run(house.brief_file, tmp_path / "again")
    assert steps_done(again) == []
    assert again.manifest["test_looks"] == house.run.manifest["test_looks"]
    assert again.leaderboard is not None
    assert house.run.leaderboard is not None
    assert again.leaderboard.to_dict() == house.run.leaderboard.to_dict()
    assert (again.path / "report.html").read_bytes() == (house.folder / "report.html").read_bytes()


def test_the_resolved_brief_finds_every_step(house: House, tmp_path: Path) -> None:
    assert steps_done(mercer.run(house.folder / "brief.yaml", tmp_path / "resolved")) == []


def test_another_option_changes_only_what_depends_on_it(house: House, tmp_path: Path) -> None:
    target = house.brief.targets["next-item"]
    other = target.model_copy(update={"options": {"item-knn": {"neighbours": 7}}})
    brief = Brief.model_validate(
        house.brief.model_copy(update={"targets": {**house.brief.targets, "next-item": other}}).model_dump(
            by_alias=True
        )
    )
    with cache_at(linked_copy(house.cache, tmp_path / "cache")):
        run = mercer.run(brief, tmp_path / "other", until="evaluate")
    assert run.manifest["test_looks"]["next-item"] == house.run.manifest["test_looks"]["next-item"] + 1
    done = steps_done(run)
    assert set(done) - {"leaderboard"} <= {
        "fit:next-item:item-knn",
        "score:next-item:item-knn:validation",
        "select:next-item",
        "score:next-item:item-knn:test",
    }
    assert "fit:next-item:item-knn" in done
    before, after = (
        without_timings(board.leaderboard.to_dict())["rows"]
        for board in (house.run, run)
        if board.leaderboard
    )
    changed = {(b["target"], b["model"]) for a, b in zip(before, after, strict=True) if a != b}
    assert ("next-item", "item-knn") in changed
    assert {target for target, _ in changed} == {"next-item"}


def test_stopping_early_leaves_nothing_of_later_stages(house: House, tmp_path: Path) -> None:
    written = {"fit": "models", "evaluate": "leaderboard.json", "gate": "gates.json", "report": "report.html"}
    out = tmp_path / "out"
    assert mercer.run(house.brief_file, out).release is not None
    for stage in reversed(STAGES[:-1]):
        run = mercer.run(house.brief_file, out, until=stage)
        assert run.release is None
        assert steps_done(run) == []
        for other, name in written.items():
            assert (out / name).exists() == (STAGES.index(other) <= STAGES.index(stage)), (stage, name)
