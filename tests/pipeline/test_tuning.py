"""`tune` on a small shop: one budget for all, validation rows only, failures recorded, nothing done twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flow.house import linked_copy
from flow.process import LONGEST, environment

import mercer
from mercer.brief import Brief
from mercer.contracts import Range
from mercer.errors import NotFoundError
from mercer.evaluation import Scored, compare
from mercer.pipeline import TuningResult, tune
from mercer.pipeline.search import Search
from mercer.pipeline.tuning import Gain
from pipeline.tuned_shop import COMMENT, brief_text, install_fragile

MODELS = ["recency", "logistic-regression", "past-rate"]
"""The first has nothing to search."""


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the shop's data and nothing tuned."""
    folder = tmp_path_factory.mktemp("cleaned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(folder / "cache"))
        mercer.run(Brief.parse(brief_text(MODELS)), folder / "run", until="data")
    return folder / "cache"


@pytest.fixture
def cache(cleaned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = linked_copy(cleaned, tmp_path / "cache")
    monkeypatch.setenv("MERCER_CACHE", str(place))
    return place


@pytest.fixture
def brief_file(tmp_path: Path) -> Path:
    place = tmp_path / "brief.yaml"
    place.write_text(brief_text(MODELS), "utf-8")
    return place


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from install_fragile(tmp_path, monkeypatch)


def facts(result: TuningResult) -> list[dict[str, Any]]:
    """What a result says, less what a clock measured."""
    return without_clocks([one.to_json() for one in result.models])


def without_clocks(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for one in content:
        del one["cost"]["seconds"]
        for trial in one["trials"]:
            for name in ("seconds", "cpu_seconds", "peak_mib", "cached"):
                del trial[name]
    return content


def test_every_model_gets_the_same_trials_and_trial_0_has_the_defaults(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    before = brief_file.read_text("utf-8")
    found = {one.model: one for one in tune(brief_file, tmp_path / "run").models}
    assert list(found) == MODELS
    assert (found["recency"].stopped, len(found["recency"].trials)) == ("nothing-to-search", 1)
    for name in MODELS[1:]:
        one = found[name]
        assert (one.stopped, len(one.trials)) == ("trials", 5)
        assert one.default.options == {
            field: info.default
            for field, info in _options_of(name).model_fields.items()
            if field in one.default.options
        }
        assert len({json.dumps(trial.options, sort_keys=True) for trial in one.trials}) == 5
        assert one.best is not None
        assert one.best.value == min(trial.value for trial in one.trials if trial.value is not None)
    written = Brief.load(brief_file).targets["repurchase"]
    assert set(written.tuned) == set(MODELS[1:])
    for name in MODELS[1:]:
        best = found[name].best
        assert best is not None
        stored = written.options.get(name, {})
        assert stored == ({} if best.number == 0 else best.options)
        assert written.tuned[name].trials == 5
    after = brief_file.read_text("utf-8")
    assert COMMENT in after
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []


def _options_of(name: str) -> Any:
    from mercer.contracts import plugins

    return plugins.load(plugins.PREDICTORS, name).Options


def test_no_test_set_is_looked_at(brief_file: Path, cache: Path, tmp_path: Path) -> None:
    tune(brief_file, tmp_path / "run", trials=2)
    assert not (cache / "test-looks.jsonl").exists()
    done = {path.name for path in (cache / "steps").iterdir()}
    assert done == {"simulate", "data", "audit", "trial"}


def test_the_value_of_a_trial_is_that_of_the_validation_rows(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    """What `tune` found, `run` finds on its validation rows; and the row says what the options cost."""
    found = {one.model: one for one in tune(brief_file, tmp_path / "run").models}
    run = mercer.run(brief_file, tmp_path / "run", until="evaluate")
    assert run.leaderboard is not None
    for name in MODELS:
        best = found[name].best
        assert best is not None
        [row] = run.leaderboard.find(model=name, split="validation", metric="brier")
        assert row.value == pytest.approx(best.value)
        tuned = name != "recency"
        assert row.trials == (5 if tuned else 0)
        assert row.protocol["tuning"].startswith("5 trials in" if tuned else "nothing to search")
        assert row.protocol.get("tuning_budget") == ("5 trials or 600 s" if tuned else None)


def test_options_that_changed_since_were_not_tuned(brief_file: Path, cache: Path, tmp_path: Path) -> None:
    result = tune(brief_file, tmp_path / "run", models=["logistic-regression"], write=False, trials=3)
    content = result.brief.model_dump(mode="json", by_alias=True)
    content["targets"]["repurchase"]["options"] = {"logistic-regression": {"inverse_penalty": 0.123}}
    run = mercer.run(Brief.model_validate(content), tmp_path / "run", until="evaluate")
    assert run.leaderboard is not None
    [row] = run.leaderboard.find(model="logistic-regression", split="validation", metric="brier")
    assert (row.trials, row.protocol["tuning"]) == (0, "none: the options were changed since")


def test_a_dry_run_leaves_the_file(brief_file: Path, cache: Path, tmp_path: Path) -> None:
    before = brief_file.read_bytes()
    result = tune(brief_file, tmp_path / "run", trials=4, models=["logistic-regression"], write=False)
    assert brief_file.read_bytes() == before
    assert result.path is None
    assert result.brief.targets["repurchase"].tuned["logistic-regression"].trials == 4
    page = result.page.read_text("utf-8")
    assert "logistic-regression" in page
    assert "<svg" in page


def test_the_gain_is_a_paired_comparison_of_validation_rows(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    [one] = tune(brief_file, tmp_path / "run", trials=8, models=["logistic-regression"]).models
    best = one.best
    assert best is not None
    assert best.folder is not None
    assert one.default.folder is not None
    if best.number == 0:
        assert one.gain is None
        return
    direct = compare(
        Scored.load(best.folder / "rows.parquet"), Scored.load(one.default.folder / "rows.parquet"), "brier",
        names=("a", "b"), task="behavior", target="repurchase",
    )  # fmt: skip
    assert one.gain is not None
    assert direct.low is not None
    assert direct.high is not None
    assert (one.gain.value, one.gain.low, one.gain.high) == (-direct.difference, -direct.high, -direct.low)


@pytest.mark.parametrize(("low", "within"), [(None, True), (-0.1, True), (0.0, True), (0.001, False)])
def test_a_gain_within_noise_is_called_so(low: float | None, within: bool) -> None:
    assert Gain(value=0.1, low=low, high=0.3, p=None).within_noise is within


def test_a_second_time_everything_is_found_and_nothing_differs(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    first = tune(brief_file, tmp_path / "run", write=False)
    again = tune(brief_file, tmp_path / "elsewhere", write=False)
    assert facts(first) == facts(again)
    assert all(trial.cached for one in again.models for trial in one.trials)
    assert not any(trial.cached for one in first.models for trial in one.trials)
    more = tune(brief_file, tmp_path / "run", write=False, trials=7)
    assert facts(more)[1]["trials"][:5] == facts(first)[1]["trials"]


def test_time_ends_a_search_too_and_the_first_trial_is_always_made(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    found = tune(brief_file, tmp_path / "run", seconds=0.001, models=MODELS[1:]).models
    assert [(one.stopped, len(one.trials)) for one in found] == [("seconds", 1)] * 2
    assert Brief.load(brief_file).targets["repurchase"].tuned["past-rate"].ended == "seconds"


def test_the_briefs_options_are_tried_after_the_defaults_and_what_is_not_searched_stays(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    content = Brief.load(brief_file).model_dump(mode="json", by_alias=True)
    own = {"inverse_penalty": 0.0123}
    content["targets"]["repurchase"]["models"] = ["logistic-regression", "random-forest"]
    content["targets"]["repurchase"]["options"] = {"logistic-regression": own, "random-forest": {"trees": 7}}
    result = tune(Brief.model_validate(content), tmp_path / "run", trials=3)
    logistic, forest = result.models
    assert logistic.trials[0].options["inverse_penalty"] != 0.0123
    assert logistic.trials[1].options["inverse_penalty"] == 0.0123
    assert "trees" not in forest.trials[0].options
    assert result.brief.targets["repurchase"].options["random-forest"]["trees"] == 7


@pytest.mark.usefixtures("fragile")
def test_what_fails_is_recorded_and_passed_over(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "brief.yaml"
    file.write_text(brief_text(["recency", "fragile"], trials=20), "utf-8")
    [one] = tune(file, tmp_path / "run", models=["fragile"]).models
    assert one.stopped == "exhausted"
    ways = {trial.options["way"]: trial for trial in one.trials}
    assert set(ways) == {"well", "typed", "memory", "fault", "nothing"}
    assert {way for way, trial in ways.items() if trial.state == "failed"} == {"typed", "memory", "fault"}
    assert ways["typed"].why == "It can't. Leave it."
    assert "memory" in ways["memory"].why
    assert "ZeroDivisionError in fragile_model, line" in ways["fault"].why
    assert "must not be shown" not in ways["fault"].why
    assert ways["nothing"].notes == ("It stopped early.",)
    assert one.best == ways["well"]
    assert Brief.load(file).targets["repurchase"].tuned["fragile"].ended == "exhausted"
    kept = json.loads((tmp_path / "run" / "tuning" / "repurchase" / "fragile.json").read_text("utf-8"))
    assert sum(trial["state"] == "failed" for trial in kept["trials"]) == 3
    page = (tmp_path / "run" / "tuning" / "index.html").read_text("utf-8")
    assert "5, 3 failed" in page
    assert "way: typed" in page
    assert "It can&#39;t. Leave it." in page


@pytest.mark.usefixtures("fragile")
def test_a_model_that_always_fails_is_left_as_it_was(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "brief.yaml"
    file.write_text(brief_text(["past-rate", "logistic-regression"]), "utf-8")
    bench_breaks = "def fit(self, train: Any, **how: Any) -> Any:\n"
    module = tmp_path / "fragile_model.py"
    module.write_text(module.read_text().replace(bench_breaks, bench_breaks + "        raise MemoryError\n"))
    file.write_text(brief_text(["recency", "fragile"], trials=20), "utf-8")
    before = file.read_bytes()
    sys.modules.pop("fragile_model", None)
    [one] = tune(file, tmp_path / "run", models=["fragile"]).models
    assert (one.stopped, one.best, len(one.trials)) == ("failing", None, 5)
    assert "every trial failed" in one.warning
    assert file.read_bytes() == before


def test_unknown_names_are_said(brief_file: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no target 'repurchas'.*Did you mean 'repurchase'"):
        tune(brief_file, tmp_path / "run", targets=["repurchas"])
    with pytest.raises(NotFoundError, match="Did you mean 'past-rate'"):
        tune(brief_file, tmp_path / "run", models=["past-rates"])


def test_killed_in_the_middle_it_goes_on_where_it_stopped(
    brief_file: Path, cleaned: Path, cache: Path, tmp_path: Path
) -> None:
    """kill -9 between two trials and inside one; then the same trials, the same brief, nothing left over."""
    other = linked_copy(cleaned, tmp_path / "other-cache")
    killed_brief = tmp_path / "killed.yaml"
    shutil.copyfile(brief_file, killed_brief)
    whole = tune(brief_file, tmp_path / "run")
    command = [
        sys.executable,
        "-m",
        "mercer",
        "tune",
        str(killed_brief),
        "--out",
        str(tmp_path / "killed"),
        "--json",
    ]
    for n_trials, wait in ((2, 0.0), (6, 0.02)):
        child = subprocess.Popen(
            command, env=environment(other), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while child.poll() is None and _trials(other) < n_trials:
            time.sleep(0.005)
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        assert child.wait(LONGEST) == -signal.SIGKILL
        assert killed_brief.read_bytes() != brief_file.read_bytes()
    done = _trials(other)
    assert 6 <= done < 11
    resumed = subprocess.run(
        command, env=environment(other), capture_output=True, check=True, timeout=LONGEST
    )
    told = json.loads(resumed.stdout)["models"]
    assert sum(trial["cached"] for one in told for trial in one["trials"]) == done
    assert without_clocks(told) == facts(whole)
    assert _without_seconds(Brief.load(killed_brief)) == _without_seconds(Brief.load(brief_file))
    assert list((other / "steps").rglob("*.tmp")) == []


def _trials(cache: Path) -> int:
    return len(list((cache / "steps" / "trial").glob("*/*/*/step.json")))


def _without_seconds(brief: Brief) -> dict[str, Any]:
    content = brief.model_dump(mode="json")
    for cost in content["targets"]["repurchase"]["tuned"].values():
        del cost["seconds"]
    return content


def test_interrupted_from_the_keyboard_it_keeps_the_best_so_far(
    brief_file: Path, cache: Path, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "mercer", "tune", str(brief_file), "--out", str(tmp_path / "run"),
         "--trials", "500", "--json"],
        env=environment(cache), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while child.poll() is None and _trials(cache) < 5:
        time.sleep(0.005)
    child.send_signal(signal.SIGINT)
    said, errors = child.communicate(timeout=LONGEST)
    assert child.returncode == 130
    assert "Traceback" not in errors
    told = json.loads(said)
    assert told["interrupted"] is True
    last = told["models"][-1]
    assert last["model"] == "logistic-regression"
    assert last["stopped"] == "interrupted"
    assert 3 <= len(last["trials"]) < 500
    cost = Brief.load(brief_file).targets["repurchase"].tuned["logistic-regression"]
    assert (cost.trials, cost.ended) == (len(last["trials"]), "interrupted")
    assert "ended before its budget did" in (tmp_path / "run" / "tuning" / "index.html").read_text("utf-8")


SPACE = {
    "a": Range(low=0.01, high=1.0, log=True),
    "b": Range(low=1, high=4, integer=True),
    "c": Range(choices=("x", None, (1, 2))),
}


def walk(seed: int, n: int, first: dict[str, Any]) -> list[dict[str, Any]]:
    search = Search(SPACE, higher_is_better=True, seed=seed, first=[first])
    seen = []
    for options in search:
        seen.append(options)
        search.tell(None if options["c"] is None else -abs(options["a"] - 0.2) - options["b"])
        if len(seen) == n:
            break
    return seen


def test_a_search_begins_where_it_is_told_stays_inside_and_repeats_nothing() -> None:
    first = {"a": 0.5, "b": 2, "c": "x"}
    seen = walk(1, 60, first)
    assert seen[0] == first
    assert all(
        0.01 <= one["a"] <= 1 and one["b"] in (1, 2, 3, 4) and one["c"] in ("x", None, (1, 2)) for one in seen
    )
    assert len({repr(one) for one in seen}) == 60
    assert seen == walk(1, 60, first)
    assert seen[1:] != walk(2, 60, first)[1:]
    late = [one["b"] for one in seen[30:]]
    assert sum(b == 1 for b in late) > len(late) / 2


def test_options_outside_the_space_are_tried_first_all_the_same() -> None:
    odd = {"a": 5.0, "b": 9, "c": "elsewhere"}
    assert walk(1, 4, odd)[0] == odd


def test_a_small_space_is_exhausted() -> None:
    space = {"c": Range(choices=(True, False)), "d": Range(low=1, high=2, integer=True)}
    search = Search(space, higher_is_better=False, seed=1, first=[{"c": True, "d": 1}])
    seen = []
    for options in search:
        seen.append((options["c"], options["d"]))
        search.tell(1.0)
    assert sorted(seen) == [(False, 1), (False, 2), (True, 1), (True, 2)]


def test_nothing_to_search_is_one_trial() -> None:
    search = Search({}, higher_is_better=True, seed=1, first=[{}])
    seen = []
    for options in search:
        seen.append(options)
        search.tell(1.0)
    assert seen == [{}]
    assert replace(Gain(value=0.0, low=0.0, high=0.0, p=1.0), low=1.0).within_noise is False
