"""The store: found by name and hash, checked, never overwritten, never half-written."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from language.decoders.sources import folder
from mercer.errors import DamagedError, NotFoundError, OutputError, UsageError
from mercer.language.decoders import ModelStore, import_model

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("sources")
    return [folder(place / f"seed-{seed}", seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def filled(sources: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = ModelStore(tmp_path_factory.mktemp("filled"))
    for source in sources:
        import_model(source, store=store, name="mine")
    return store.folder


@pytest.fixture
def two(filled: Path, tmp_path: Path) -> ModelStore:
    """Two models of one name, free to be spoilt."""
    return ModelStore(Path(shutil.copytree(filled, tmp_path / "two")))


def test_an_empty_store(store: ModelStore) -> None:
    assert store.list() == []
    assert not store.folder.exists()
    with pytest.raises(NotFoundError, match="No model is imported yet") as missing:
        store.get("mine")
    assert "mercer models import" in missing.value.remedy


def test_the_later_content_answers_to_the_name_and_both_stay(two: ModelStore) -> None:
    first, second = two.list()
    assert (first.card.turn, second.card.turn) == (1, 2)
    assert two.get("mine") == second
    assert two.get(first.folder.name) == first
    assert two.get(first.card.hash) == first
    assert two.get(second.card.hash[:12]) == second
    assert first.folder.name in second.card.notes[-1]
    assert first.folder.name == f"mine-{first.card.hash[:12]}"


def test_the_first_imported_again_leaves_the_name_where_it_is(two: ModelStore, sources: list[Path]) -> None:
    first, second = two.list()
    assert import_model(sources[0], store=two, name="mine") == first
    assert two.get("mine") == second


def test_a_beginning_that_two_hashes_share_is_refused(two: ModelStore) -> None:
    first = two.list()[0]
    twin = Path(shutil.copytree(first.folder, two.folder / f"twin-{first.card.hash[:12]}"))
    content = json.loads((twin / "card.json").read_text("utf-8"))
    (twin / "card.json").write_text(json.dumps({**content, "name": "twin"}), "utf-8")
    with pytest.raises(UsageError, match="2 models begin with") as refused:
        two.get(first.card.hash[:6])
    assert first.folder.name in refused.value.remedy
    assert twin.name in refused.value.remedy
    assert two.get("twin").folder == twin


def test_the_nearest_name_is_offered(two: ModelStore) -> None:
    with pytest.raises(NotFoundError, match="'mine'"):
        two.get("mines")


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "config.json", "generation_config.json"]
)
def test_a_changed_file_is_named(name: str, two: ModelStore) -> None:
    path = two.list()[-1].folder / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedError, match=name):
        two.get("mine")
    assert two.get("mine", verify=False).card.name == "mine"


def test_a_missing_file_is_named(two: ModelStore) -> None:
    (two.list()[-1].folder / "tokenizer.json").unlink()
    with pytest.raises(DamagedError, match=r"tokenizer\.json"):
        two.get("mine")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 2}'])
def test_a_card_that_is_none(content: str, two: ModelStore) -> None:
    first, second = two.list()
    (second.folder / "card.json").write_text(content, "utf-8")
    assert two.list() == [first]
    assert two.damaged() == [second.folder.name]
    with pytest.raises(DamagedError, match=r"card\.json"):
        two.get(second.folder.name)


def test_a_card_of_other_files_is_damaged(two: ModelStore) -> None:
    model = two.list()[-1]
    content = json.loads((model.folder / "card.json").read_text("utf-8"))
    content["files"]["model.safetensors"] = "0" * 64
    (model.folder / "card.json").write_text(json.dumps(content), "utf-8")
    assert two.damaged() == [model.folder.name]


@pytest.mark.parametrize("name", ["model.safetensors", "card.json"])
def test_importing_again_puts_a_damaged_model_right(name: str, two: ModelStore, sources: list[Path]) -> None:
    before = two.list()[-1]
    (before.folder / name).write_bytes(b"")
    after = import_model(sources[1], store=two, name="mine")
    assert after.folder == before.folder
    assert two.get("mine").card.hash == before.card.hash
    assert two.damaged() == []


def test_a_store_that_can_not_be_written(tmp_path: Path, sources: list[Path]) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OutputError, match="MERCER_MODELS"):
        import_model(sources[0], store=ModelStore(tmp_path / "file"))


def test_work_that_fails_leaves_nothing(store: ModelStore) -> None:
    def fail() -> None:
        with store.work() as work:
            (work / "model.safetensors").write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.name for path in store.folder.iterdir()] == [".lock"]


def test_work_of_a_living_import_is_not_swept(store: ModelStore) -> None:
    with store.work() as mine:
        with store.work() as other:
            assert mine.exists()
            assert other.exists()
        assert mine.exists()


@pytest.mark.parametrize("moment", ["writing", "publishing", "rename"])
def test_a_killed_import_leaves_nothing_half_made(
    moment: str, store: ModelStore, sources: list[Path], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "language.decoders.killed", sources[0], store.folder, moment],
        cwd=TESTS, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    left = [path for path in store.folder.iterdir() if path.name != ".lock"]
    assert [path.name[:11] for path in left] == [".importing-"]
    if moment != "writing":
        assert (left[0] / "model.safetensors").exists()
    assert store.list() == []
    assert store.damaged() == []
    model = import_model(sources[0], store=store)
    assert store.get("seed-1") == model
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", model.folder.name]
