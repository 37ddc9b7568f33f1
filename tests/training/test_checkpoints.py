from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mercer.training
from mercer.contracts import Budget, Runtime
from mercer.errors import ConflictError, OutputError
from mercer.training import TrainingRecord, train
from mercer.training.checkpoints import Checkpoints
from training.small import FACTS, NextItem, equal, equal_validations, here, options, same, trained, weights

EVERY = 10


def at(folder: Path) -> Runtime:
    return here(checkpoint_folder=folder)


def steps(folder: Path) -> list[int]:
    return Checkpoints(folder, {}).steps()


def stopped(folder: Path, after: int, **given: object) -> None:
    """Train up to a step, and stop there as a process that is killed right after its checkpoint."""

    class Killed(Exception):  # noqa: N818
        pass

    class Bell:
        def advance(self, done: int, total: int, note: str = "") -> None:
            if done == after:
                raise Killed

    runtime = here(checkpoint_folder=folder, progress=Bell())
    with pytest.raises(Killed):
        trained(runtime=runtime, checkpoint_every=EVERY, **given)


@pytest.fixture(scope="module")
def whole() -> tuple[dict, TrainingRecord]:
    """What the uninterrupted training comes to."""
    trainee, record = trained()
    return weights(trainee), record


@pytest.fixture
def halfway(tmp_path: Path) -> Path:
    """A folder with checkpoints of steps 20 and 30, and the best."""
    stopped(tmp_path / "saved", 32)
    return tmp_path / "saved"


def test_the_two_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    trained(
        seed=2, runtime=at(tmp_path), epochs=8, learning_rate=0.3, decay="constant", checkpoint_every=EVERY
    )
    record = json.loads(max(tmp_path.glob("step-*")).joinpath("state.json").read_text("utf-8"))
    best = max(record["validations"], key=lambda one: one["value"])["step"]
    last = len(record["losses"])
    assert best < last - 2 * EVERY
    assert steps(tmp_path) == [last, last // EVERY * EVERY if last % EVERY else last - EVERY, best]
    for step in steps(tmp_path):
        names = {path.name for path in (tmp_path / f"step-{step:08d}").iterdir()}
        assert names == {
            "weights.safetensors", "buffers.safetensors", "optimizer.safetensors", "state.json", "manifest.json",
        }  # fmt: skip


def test_it_goes_on_from_the_newest_and_ends_the_same(halfway: Path, whole: tuple) -> None:
    assert steps(halfway)[:2] == [30, 20]
    trainee, record = trained(NextItem(weight_seed=9), runtime=at(halfway), checkpoint_every=EVERY)
    assert record.resumed_from == (30,)
    assert equal(record.losses, whole[1].losses)
    assert record.learning_rates == whole[1].learning_rates
    assert equal_validations(record, whole[1])
    assert same(weights(trainee), whole[0])


def test_averages_and_several_batches_a_step_go_on_the_same(tmp_path: Path) -> None:
    given = {"average": 0.9, "accumulate": 2, "evaluate_every": 0.7, "epochs": 6}
    trainee, record = trained(**given)
    stopped(tmp_path, 25, **given)
    other, resumed = trained(NextItem(weight_seed=9), runtime=at(tmp_path), checkpoint_every=EVERY, **given)
    assert resumed.resumed_from == (max(20, *(one.step for one in record.validations if one.step <= 25)),)
    assert equal(resumed.losses, record.losses)
    assert same(weights(other), weights(trainee))


def test_a_finished_training_is_not_trained_again(tmp_path: Path, whole: tuple) -> None:
    trained(runtime=at(tmp_path))
    trainee, record = trained(NextItem(weight_seed=9), runtime=at(tmp_path))
    assert record.resumed_from == ()
    assert equal(record.losses, whole[1].losses)
    assert same(weights(trainee), whole[0])


def test_what_the_budget_ended_goes_on_under_a_larger_one(tmp_path: Path, whole: tuple) -> None:
    def run(seconds: float) -> TrainingRecord:
        return train(NextItem(), options(), seed=1, facts=FACTS, runtime=at(tmp_path), budget=Budget(seconds))

    first = run(0.0)
    assert (first.steps, first.stopped_because) == (1, "budget")
    assert run(0.0).steps == 1
    second = run(60.0)
    assert second.stopped_because == "epochs"
    assert second.resumed_from == (1,)
    assert equal(second.losses, whole[1].losses)
    assert second.notes == ()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of the weights": (lambda place: flip(place / "weights.safetensors"), "weights.safetensors has SHA-256"),
    "a bit of the optimizer": (lambda place: flip(place / "optimizer.safetensors"), "optimizer.safetensors has"),
    "a cut file": (lambda place: (place / "state.json").write_text("{"), "state.json has SHA-256"),
    "a missing file": (lambda place: (place / "weights.safetensors").unlink(), "weights.safetensors is missing"),
    "no manifest": (lambda place: (place / "manifest.json").unlink(), "manifest.json is missing"),
    "a cut manifest": (lambda place: (place / "manifest.json").write_text("{"), "can't be read as JSON"),
    "a manifest of something else": (lambda place: (place / "manifest.json").write_text("[]"), "no JSON object"),
    "an empty manifest": (lambda place: (place / "manifest.json").write_text("{}"), "has schema None"),
    "an empty folder": (lambda place: (shutil.rmtree(place), place.mkdir()), "manifest.json is missing"),
    "no file is named": (
        lambda place: (place / "manifest.json").write_text('{"schema": 1, "files": {}}'),
        "names no state.json",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_and_the_one_before_is_used(
    halfway: Path, whole: tuple, damage: str
) -> None:
    spoil, said = DAMAGES[damage]
    spoil(halfway / "step-00000030")
    trainee, record = trained(NextItem(weight_seed=9), runtime=at(halfway), checkpoint_every=EVERY)
    assert record.resumed_from == (20,)
    assert any(
        "checkpoint of step 30 was refused" in note and said in note and "Step 20 was used." in note
        for note in record.notes
    )
    assert equal(record.losses, whole[1].losses)
    assert same(weights(trainee), whole[0])


def test_where_all_are_damaged_it_begins_anew_and_says_so(halfway: Path, whole: tuple) -> None:
    for place in halfway.glob("step-*"):
        flip(place / "weights.safetensors")
    trainee, record = trained(runtime=at(halfway), checkpoint_every=EVERY)
    assert record.resumed_from == ()
    assert all("The training began anew." in note for note in record.notes)
    assert len(record.notes) == 3
    assert same(weights(trainee), whole[0])


def test_a_checkpoint_whose_best_is_damaged_is_refused(tmp_path: Path) -> None:
    given = {"seed": 2, "epochs": 8, "learning_rate": 0.3, "decay": "constant"}
    stopped(tmp_path, 62, **given)
    newest, before, best = steps(tmp_path)
    flip(tmp_path / f"step-{best:08d}" / "weights.safetensors")
    _, record = trained(runtime=at(tmp_path), checkpoint_every=EVERY, **given)
    assert record.resumed_from == ()
    assert {int(note.split()[4]) for note in record.notes} == {newest, before, best}


@pytest.mark.parametrize(
    ("given", "facts", "said"),
    [
        ({}, {"data": "shop-2", "model": "next-item"}, "facts.data (shop-1 there, shop-2 here)"),
        ({}, {"data": "shop-1"}, "facts.model (next-item there, nothing here)"),
        ({"learning_rate": 0.5}, FACTS, "options.learning_rate (0.02 there, 0.5 here)"),
        ({"epochs": 9}, FACTS, "options.epochs (4 there, 9 here)"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_with_what_differs(
    halfway: Path, given: dict, facts: dict, said: str
) -> None:
    before = sorted(halfway.iterdir())
    with pytest.raises(ConflictError) as told:
        train(NextItem(), options(**given), seed=1, facts=facts, runtime=at(halfway))
    assert said in told.value.message
    assert told.value.remedy
    assert sorted(halfway.iterdir()) == before


def test_other_seeds_rows_and_networks_are_other_trainings(halfway: Path) -> None:
    with pytest.raises(ConflictError, match=r"seed \(1 there, 2 here\)"):
        trained(seed=2, runtime=at(halfway))
    with pytest.raises(ConflictError, match=r"costs .*rows \(120 there, 121 here\)"):
        trained(NextItem(rows=121), runtime=at(halfway))
    trainee = NextItem()
    trainee.module.layer = type(trainee.module.layer)(12, 12, bias=False)
    with pytest.raises(ConflictError, match="weights"):
        trained(trainee, runtime=at(halfway))


def test_how_often_it_is_saved_is_no_other_training(halfway: Path, whole: tuple) -> None:
    _, record = trained(runtime=at(halfway), checkpoint_every=3, estimate_steps=4)
    assert record.resumed_from == (30,)
    assert equal(record.losses, whole[1].losses)


def test_a_foreign_checkpoint_among_own_ones_is_passed_over(halfway: Path, whole: tuple) -> None:
    place = halfway / "step-00000030" / "manifest.json"
    manifest = json.loads(place.read_text("utf-8"))
    manifest["identity"]["facts.data"] = "shop-9"
    place.write_text(json.dumps(manifest), "utf-8")
    _, record = trained(runtime=at(halfway), checkpoint_every=EVERY)
    assert record.resumed_from == (20,)
    assert "facts.data (shop-9 there, shop-1 here)" in " ".join(record.notes)
    assert equal(record.losses, whole[1].losses)


def test_other_circumstances_are_noted(halfway: Path) -> None:
    _, record = trained(runtime=replace(at(halfway), precision="bf16"))
    assert any("with precision bf16, before with fp32" in note for note in record.notes)


def test_what_a_killed_process_was_writing_is_swept(halfway: Path) -> None:
    left = halfway / ".writing-step-00000040"
    left.mkdir()
    (left / "weights.safetensors").write_bytes(b"half")
    trained(runtime=at(halfway))
    assert not left.exists()


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, {}).alone(), pytest.raises(OutputError, match="Another training"):
        trained(runtime=at(tmp_path))
    trained(runtime=at(tmp_path), epochs=1)


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="can't be written") as told:
        trained(runtime=at(tmp_path / "file" / "inside"))
    assert "MERCER_CACHE" in told.value.remedy


def test_nothing_in_the_room_pickles() -> None:
    sources = sorted(Path(mercer.training.__file__).parent.glob("*.py"))
    assert len(sources) > 10
    for path in sources:
        text = path.read_text("utf-8").replace("Nothing is pickled.", "")
        assert not any(word in text for word in ("pickle", "torch.load", "torch.save", "joblib")), path.name
