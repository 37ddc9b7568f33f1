"""A neural model in the flow: it goes on where it was killed, its record stays with it, its price is said first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli.typed import Typed, typed

import mercer
from mercer.brief import Brief
from mercer.contracts import Runtime, plugins
from mercer.errors import UnsupportedError, UsageError
from mercer.pipeline import machine, price, tune
from mercer.reporting import find_trainings
from mercer.training import TrainingRecord
from pipeline.neural import install
from pipeline.tuned_shop import brief_text

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module", autouse=True)
def tiny_net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("plugin")
    install(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        plugins._entries.cache_clear()
        yield folder
    plugins._entries.cache_clear()


def brief(seeds: tuple[int, ...] = (1,), **options: Any) -> Brief:
    content = yaml.safe_load(brief_text(["past-rate"]))
    content["targets"] = {
        "next-item": {
            "task": "recommend", "models": ["most-popular", "tiny-net"],
            "split": {"kind": "temporal", "test_from": "2026-08-01", "validation_days": 42},
            "options": {"tiny-net": options} if options else {},
        }
    }  # fmt: skip
    content["decision"] |= {"target": "next-item", "metric": "ndcg@10", "against": "most-popular"}
    content["fit"] = {"seeds": list(seeds)}
    return Brief.model_validate(content)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("neural") / "cache"


@pytest.fixture(autouse=True)
def shared(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """These tests share what was cleaned and fitted."""
    monkeypatch.setenv("MERCER_CACHE", str(cache))
    monkeypatch.setenv("MERCER_THREADS", "1")
    return cache


@pytest.fixture(scope="module")
def run(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> mercer.Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(cache))
        patch.setenv("MERCER_THREADS", "1")
        return mercer.run(brief((1, 2)), tmp_path_factory.mktemp("runs") / "first", until="fit")


def test_the_record_is_in_the_run_folder_of_every_seed(run: mercer.Run, cache: Path) -> None:
    folder = run.path / "models" / "next-item" / "tiny-net"
    records = [TrainingRecord.load(folder / name) for name in ("training.json", "training.seed-2.json")]
    assert [record.seed for record in records] == [1, 2]
    assert records[0].losses != records[1].losses
    assert records[0].threads == 1
    assert not list((cache / "checkpoints").glob("*")), "a checkpoint is left of a fit that is done"
    facts = json.loads((folder / "fit.json").read_text("utf-8"))
    assert records[0].estimate is not None
    assert facts["estimate"]["seconds"] == records[0].estimate.seconds
    assert not (folder.parent / "most-popular" / "training.json").exists()


def test_trainings_are_listed_and_drawn(
    run: mercer.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mercer_: Typed = partial(typed, monkeypatch, capsys)
    said = mercer_("runs", run.path.parent, "--training", "--page", tmp_path / "curves.html")
    assert said.code == 0, said.err
    for part in ("first", "next-item", "tiny-net", "all epochs done", "curves.html"):
        assert part in said.out
    page = (tmp_path / "curves.html").read_text("utf-8")
    assert page.count("<figure") == 3
    assert page.count("<svg") == 6
    for part in ("first, seed 1", "first, seed 2", "learning rate", "metric on validation", "expected"):
        assert part in page
    assert "http" not in page.replace("http://www.w3.org", "")
    told = json.loads(mercer_("runs", run.path, "--training", "--json", "--page", tmp_path / "x.html").out)
    assert [one["seed"] for one in told] == [1, 2]
    assert all(one["estimate_error"] is not None and one["last_loss"] > 0 for one in told)
    assert "losses" not in told[0]


def test_trainings_with_other_options_say_what_differs(run: mercer.Run, tmp_path: Path) -> None:
    from mercer.reporting.trainings import differing, write_trainings_page

    other = mercer.run(brief((1,), learning_rate=0.05), tmp_path / "second", until="fit")
    found = [*find_trainings(run.path), *find_trainings(other.path)]
    told = dict(differing([one.record for one in found]))
    assert told["learning_rate"] == ("0.001", "0.001", "0.05")
    assert set(told) == {"learning_rate"}
    page = write_trainings_page(found, tmp_path / "page.html").read_text("utf-8")
    assert "What differs between them" in page


def test_runs_without_a_training_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = typed(monkeypatch, capsys, "runs", tmp_path, "--training")
    assert said.code == 2
    assert "No training of a neural model" in said.sentence


def test_the_price_is_measured_and_nothing_is_fitted(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "brief.yaml"
    file.write_text(brief((1, 2), epochs=7).dump(), "utf-8")
    before = (
        sorted((cache / "steps" / "fit").rglob("step.json")) if (cache / "steps" / "fit").exists() else []
    )
    mercer_: Typed = partial(typed, monkeypatch, capsys)
    told = json.loads(mercer_("fit", file, "--estimate", "--price-per-hour", "7.2", "--json").out)
    popular, net = told
    assert (popular["model"], popular["fits"], popular["measured"]) == ("most-popular", 1, False)
    assert (net["model"], net["fits"], net["measured"]) == ("tiny-net", 2, True)
    assert net["seconds"] > 0
    assert net["money"] == pytest.approx(net["seconds"] * 0.002, abs=2e-4)
    assert sorted((cache / "steps").rglob("fit/**/step.json")) == before
    assert not list((cache / "checkpoints").glob("*"))
    said = mercer_("fit", file, "--estimate")
    assert said.code == 0, said.err
    assert "measured in a few steps" in said.out
    assert "together" in said.out


def test_a_price_is_no_longer_than_the_limit_of_a_fit() -> None:
    content = brief(epochs=1_000_000).model_dump(mode="json", by_alias=True)
    content["fit"]["seconds"] = 30
    [_, net] = price(Brief.model_validate(content))
    assert net.seconds == 30
    assert net.money is None


def command(file: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "mercer", "fit", str(file), "--out", str(out), "--json"]


def test_a_killed_run_goes_on_with_its_training(
    run: mercer.Run, cache: Path, tmp_path: Path, tiny_net: Path
) -> None:
    """Killed when the first checkpoints are there; the next run goes on from them, to the same losses."""
    file = tmp_path / "brief.yaml"
    file.write_text(brief(epochs=40, checkpoint_every=5).dump(), "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tiny_net}:{TESTS}"}
    child = subprocess.Popen(
        command(file, tmp_path / "out"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while child.poll() is None and not list((cache / "checkpoints").glob("*/step-*/manifest.json")):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=300)
    assert child.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert list((cache / "checkpoints").glob("*/step-*"))
    done = subprocess.run(command(file, tmp_path / "out"), env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    record = TrainingRecord.load(tmp_path / "out/models/next-item/tiny-net/training.json")
    assert record.resumed_from
    assert not list((cache / "checkpoints").glob("*"))
    from pipeline.neural import TinyNet

    alone = TinyNet(TinyNet.Options(epochs=40, checkpoint_every=5))
    split = material(cache, brief()).split("next-item")
    alone.fit(split.train, validation=split.validation, seed=1, runtime=Runtime(threads=1))
    assert alone.training.losses == record.losses


def limited(seconds: float, money: float | None = None, **options: Any) -> Brief:
    content = brief(epochs=6, **options).model_dump(mode="json", by_alias=True)
    content["fit"] |= {"seconds": seconds, "money": money}
    return Brief.model_validate(content)


def test_what_the_seconds_of_a_fit_ended_goes_on_with_more_of_them(cache: Path, tmp_path: Path) -> None:
    def record(seconds: float) -> TrainingRecord:
        made = mercer.run(limited(seconds), tmp_path / "run", until="fit")
        return TrainingRecord.load(made.path / "models/next-item/tiny-net/training.json")

    short = record(1e-6)
    assert short.stopped_because == "budget"
    assert any("1e-06 s ended it" in note for note in short.notes)
    whole = record(3600)
    assert whole.stopped_because == "epochs"
    assert whole.resumed_from == (len(short.losses),)
    assert whole.losses[: len(short.losses)] == short.losses
    assert not list((cache / "checkpoints").glob("*"))


def test_what_the_money_of_a_fit_ended_goes_on_with_more_of_it(tmp_path: Path) -> None:
    def record(money: float, hour: float) -> TrainingRecord:
        limits, priced = limited(3600, money, clip=0.25), replace(machine(), price_per_hour=hour)
        made = mercer.run(limits, tmp_path / "run", until="fit", runtime=priced)
        return TrainingRecord.load(made.path / "models/next-item/tiny-net/training.json")

    short = record(money=1e-6, hour=3600.0)
    assert short.stopped_because == "budget"
    assert short.money is not None
    whole = record(money=1.0, hour=0.0)
    assert whole.stopped_because == "epochs"
    assert whole.losses[: len(short.losses)] == short.losses


def test_a_limit_of_money_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MERCER_PRICE_PER_HOUR"):
        mercer.run(limited(3600, 2.0), tmp_path / "run", until="fit")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="MERCER_PRICE_PER_HOUR"):
        price(limited(3600, 2.0))


def test_where_more_time_makes_another_model_it_begins_anew_and_says_so(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where only some texts were encoded in time."""
    mercer.run(limited(1e-6, clip=0.5), tmp_path / "run", until="fit")
    monkeypatch.setattr("mercer.training.loop.identity", lambda *_: {"facts.texts": "more"})
    made = mercer.run(limited(3600, clip=0.5), tmp_path / "run", until="fit")
    record = TrainingRecord.load(made.path / "models/next-item/tiny-net/training.json")
    assert record.stopped_because == "epochs"
    assert record.resumed_from == ()
    assert "begins anew" in caplog.text


def material(cache: Path, made: Brief) -> Any:
    from mercer.pipeline.checking import prepared
    from mercer.pipeline.flow import Flow

    return prepared(Flow(brief=made, out=Path(), cache=cache))


def test_the_device_is_part_of_what_a_fit_is(run: mercer.Run, tmp_path: Path) -> None:
    again = mercer.run(brief((1, 2)), tmp_path / "again", until="fit")
    assert all(step["cached"] for step in again.manifest["steps"])
    half = mercer.run(
        brief((1, 2)), tmp_path / "half", until="fit", runtime=Runtime(threads=1, precision="bf16")
    )
    new = [step["name"] for step in half.manifest["steps"] if not step["cached"]]
    assert new == ["fit:next-item:tiny-net", "fit:next-item:tiny-net:seed-2"]


def test_a_device_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "brief.yaml"
    file.write_text(brief().dump(), "utf-8")
    said = typed(monkeypatch, capsys, "fit", file, "--out", tmp_path / "run", "--device", "cuda:77")
    assert said.code == 2
    assert "cuda:77" in said.sentence
    said = typed(monkeypatch, capsys, "fit", file, "--out", tmp_path / "run", "--precision", "fp8")
    assert said.code == 2
    assert "Use fp32 or bf16" in said.sentence


def test_the_machine_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_DEVICE", "cuda")
    monkeypatch.setenv("MERCER_PRECISION", "bf16")
    monkeypatch.setenv("MERCER_PRICE_PER_HOUR", "2.5")
    found = machine()
    assert (found.device, found.precision, found.price_per_hour) == ("cuda", "bf16", 2.5)
    monkeypatch.setenv("MERCER_PRECISION", "half")
    with pytest.raises(UsageError, match="MERCER_PRECISION is 'half'"):
        machine()
    monkeypatch.setenv("MERCER_PRECISION", "")
    for wrong in ("cheap", "-1", "nan", "inf"):
        monkeypatch.setenv("MERCER_PRICE_PER_HOUR", wrong)
        with pytest.raises(UsageError, match="MERCER_PRICE_PER_HOUR"):
            machine()


def test_a_run_under_torchrun_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("RANK", "1"), ("LOCAL_RANK", "1"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    with pytest.raises(UnsupportedError, match="torchrun started 2"):
        mercer.run(brief(), tmp_path / "run")


def test_tuning_trains_and_leaves_no_checkpoint(cache: Path, tmp_path: Path) -> None:
    made = brief(epochs=2)
    result = tune(made, tmp_path / "run", models=["tiny-net"], trials=2, write=False)
    [one] = result.models
    assert [trial.state for trial in one.trials] == ["done", "done"]
    assert set(one.trials[1].options) == {"learning_rate"}
    assert not list((cache / "checkpoints").glob("*/*"))
