from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mercer.brief import Brief
from mercer.errors import DamagedError, NotFoundError
from mercer.reporting import Reason, decide
from mercer.reporting.histories import Histories, histories_of
from mercer.reporting.run_files import RunFiles
from reporting.small_run import BRIEF, finding, read_json, write_json


def edit_comparison(run: Path, **changes: Any) -> None:
    """Change the comparison of the selected model with the opponent over all units."""
    board = read_json(run / "leaderboard.json")
    for comparison in board["comparisons"]:
        if (comparison["target"], comparison["b"], comparison["slice"]) == (
            "next-item",
            "most-popular",
            "all",
        ):
            comparison.update(changes)
    write_json(run / "leaderboard.json", board)


def edit_gates(run: Path, *findings: dict[str, Any]) -> None:
    write_json(run / "gates.json", {**read_json(run / "gates.json"), "findings": list(findings)})


def edit_brief(run: Path, old: str, new: str) -> None:
    assert old in BRIEF
    (run / "brief.yaml").write_text(Brief.parse(BRIEF.replace(old, new)).dump(), "utf-8")


def reason(run: Path, rule: str) -> Reason:
    return next(r for r in decide(run).reasons if r.rule == rule)


def test_a_sure_gain_with_every_rule_satisfied_ships(whole_run: Path) -> None:
    found = decide(whole_run)
    assert (found.verdict, found.headline, found.model) == ("ship", "Ship", "item-knn")
    assert {r.side for r in found.reasons} == {"for"}
    assert found.gain is not None
    assert found.gain.low is not None
    assert found.gain.low >= found.gain.least > 0
    assert found.gain.relative is not None
    assert found.gain.relative > 0.02


def test_every_reason_names_its_evidence(whole_run: Path) -> None:
    board = read_json(whole_run / "leaderboard.json")
    evidence = {r.rule: r.evidence for r in decide(whole_run).reasons}
    at = int(evidence["gain"][0].removeprefix("leaderboard.comparisons[").removesuffix("]"))
    assert board["comparisons"][at]["a"] == "item-knn"
    assert board["comparisons"][at]["b"] == "most-popular"
    at = int(evidence["guardrail"][0].removeprefix("leaderboard.rows[").removesuffix("]"))
    assert board["rows"][at]["metric"] == "coverage@10"
    assert all(evidence.values())


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        (
            {"difference": -0.1, "low": -0.15, "high": -0.05, "verdict": "worse"},
            "do-not-ship",
            "is worse than",
        ),
        ({"difference": 0.001, "low": 0.0005, "high": 0.0015}, "do-not-ship", "Even the upper end"),
        ({"difference": 0.01, "low": 0.0001, "high": 0.02}, "need-more-data", "may lie under"),
        (
            {"difference": 0.01, "low": -0.01, "high": 0.03, "p_adjusted": 0.4, "verdict": "no-difference"},
            "need-more-data",
            "could be chance",
        ),
        (
            {"low": None, "high": None, "p_adjusted": None, "verdict": "not-tested"},
            "need-more-data",
            "not tested",
        ),
    ],
)
def test_what_the_gain_decides(run: Path, changes: dict[str, Any], verdict: str, words: str) -> None:
    edit_comparison(run, **changes)
    assert decide(run).verdict == verdict
    assert words in reason(run, "gain").text
    assert reason(run, "gain").change


def test_lower_is_better_for_a_brier_decision(run: Path) -> None:
    edit_brief(run, "target: next-item", "target: repurchase")
    text = (run / "brief.yaml").read_text("utf-8").replace("metric: ndcg@10", "metric: brier", 1)
    text = text.replace("against: most-popular", "against: past-rate").replace(
        "metric: coverage@10", "metric: ece"
    )
    (run / "brief.yaml").write_text(text, "utf-8")
    found = decide(run)
    assert found.gain is not None
    assert found.gain.comparison.difference < 0 < found.gain.value
    assert found.gain.low is not None
    assert found.gain.high is not None
    assert found.gain.low < found.gain.value < found.gain.high


def test_a_broken_guardrail_blocks_whatever_the_gain(run: Path) -> None:
    edit_brief(run, "min: 0.10", "min: 0.99")
    assert decide(run).verdict == "do-not-ship"
    assert "is broken" in reason(run, "guardrail").text


def test_a_guardrail_nobody_measured_is_open(run: Path) -> None:
    edit_brief(run, "metric: coverage@10, min: 0.10", "metric: novelty@50, min: 1")
    assert decide(run).verdict == "need-more-data"
    assert "was not measured" in reason(run, "guardrail").text


def test_a_failed_rule_blocks_and_says_the_remedy(run: Path) -> None:
    edit_gates(
        run, finding("gdpr-consent", "train", "FAIL", measured="212 rows"), finding("b", "data", "PASS")
    )
    assert decide(run).verdict == "do-not-ship"
    found = reason(run, "gdpr-consent")
    assert found.side == "against"
    assert "212 rows" in found.text
    assert found.change == "Leave these rows out."


def test_a_failure_is_never_accepted(run: Path) -> None:
    accepted = {"rule": "a", "role": "r", "reason": "x", "until": "2030-01-01"}
    edit_gates(run, finding("a", "train", "FAIL", accepted=accepted))
    assert decide(run).verdict == "do-not-ship"


def test_a_rule_not_assessed_is_open_until_it_is_accepted(run: Path) -> None:
    accepted = {"rule": "a", "role": "r", "reason": "x", "until": "2030-01-01"}
    edit_gates(run, finding("a", "train", "NOT_ASSESSED", because="No consents table."))
    assert decide(run).verdict == "need-more-data"
    edit_gates(run, finding("a", "train", "NOT_ASSESSED", accepted=accepted))
    assert decide(run).verdict == "ship"
    assert "2030-01-01" in reason(run, "gates").change


def test_no_rule_examined_is_no_pass(run: Path) -> None:
    edit_gates(run)
    assert decide(run).verdict == "need-more-data"


@pytest.mark.parametrize("name", ["leaderboard.json", "gates.json", "manifest.json"])
def test_an_absent_file_leaves_the_question_open(run: Path, name: str) -> None:
    (run / name).unlink()
    assert decide(run).verdict == "need-more-data"


@pytest.mark.parametrize(
    ("status", "examined", "verdict"), [("FAIL", 9, "do-not-ship"), ("PASS", 0, "need-more-data")]
)
def test_the_leakage_audit_has_to_have_looked(run: Path, status: str, examined: int, verdict: str) -> None:
    manifest = read_json(run / "manifest.json")
    manifest["audit"]["next-item"] = {"status": status, "examined": examined}
    write_json(run / "manifest.json", manifest)
    assert decide(run).verdict == verdict


def test_selecting_the_opponent_leaves_nothing_to_ship(run: Path) -> None:
    manifest = read_json(run / "manifest.json")
    manifest["selected"]["next-item"]["model"] = "most-popular"
    write_json(run / "manifest.json", manifest)
    assert decide(run).verdict == "do-not-ship"
    assert "nothing new to ship" in reason(run, "gain").text


def with_incumbent(run: Path) -> None:
    """Let the brief's opponent be rankings that the business brought."""
    edit_brief(run, "against: most-popular", "against: incumbent")
    board = read_json(run / "leaderboard.json")
    for row in board["rows"]:
        if row["model"] == "most-popular":
            row.update(model="incumbent", fit_on="none")
    for comparison in board["comparisons"]:
        if comparison["b"] == "most-popular":
            comparison["b"] = "incumbent"
    write_json(run / "leaderboard.json", board)
    for file in (run / "scores" / "next-item").glob("most-popular.*"):
        file.rename(file.with_name(file.name.replace("most-popular.test.train", "incumbent.test.none")))


def test_the_incumbent_is_an_opponent_like_any_other(run: Path) -> None:
    with_incumbent(run)
    found = decide(run)
    assert (found.verdict, found.against) == ("ship", "incumbent")
    assert found.gain is not None
    assert found.gain.relative is not None
    lists = histories_of(RunFiles.load(run))
    assert isinstance(lists, Histories)
    assert lists.old_model == "incumbent"


def test_the_decision_is_plain_json(whole_run: Path) -> None:
    content = json.loads(json.dumps(decide(whole_run).to_json()))
    assert content["verdict"] == "ship"
    assert content["headline"] == "Ship"


def test_a_folder_that_is_no_run_and_a_damaged_file_are_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no run folder"):
        decide(tmp_path)
    (run / "gates.json").write_text("{")
    with pytest.raises(DamagedError, match=r"gates\.json is not JSON"):
        decide(run)
