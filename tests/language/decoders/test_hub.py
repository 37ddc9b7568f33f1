"""A name on the hub is read from the hub's own cache, or the hub is named as out of reach."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from language.decoders.sources import folder, logits
from mercer.errors import RemoteError
from mercer.language.decoders import ModelStore, import_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with one model in the layout that huggingface_hub writes, and no connection."""
    cache = tmp_path / "hub"
    place = cache / "models--a-shop--tiny-Llama"
    snapshot = place / "snapshots" / COMMIT
    source = folder(tmp_path / "source")
    (place / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(source.iterdir())):
        shutil.copyfile(path, place / "blobs" / f"{number:040x}")
        (snapshot / path.name).symlink_to(place / "blobs" / f"{number:040x}")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT, "utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    return source


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_model_of_the_cache(revision: str | None, hub: Path, store: ModelStore) -> None:
    model = import_model("a-shop/tiny-Llama", revision=revision, store=store)
    assert (model.card.name, model.card.revision) == ("tiny-llama", COMMIT)
    assert model.card.origin == "Hugging Face hub: a-shop/tiny-Llama"
    assert torch.equal(logits(hub), logits(model.folder))
    assert not any(path.is_symlink() for path in model.folder.iterdir())


@pytest.mark.parametrize(("name", "revision"), [("a-shop/another", None), ("a-shop/tiny-Llama", "v2")])
def test_without_a_connection_it_says_so(
    name: str, revision: str | None, hub: Path, store: ModelStore
) -> None:
    with pytest.raises(RemoteError, match="can't be reached") as lost:
        import_model(name, revision=revision, store=store)
    assert "import the folder" in lost.value.remedy
    assert store.list() == []


def test_a_folder_of_that_name_comes_first(hub: Path, store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "a-shop").mkdir()
    shutil.copytree(hub, tmp_path / "a-shop" / "tiny-Llama")
    assert import_model("a-shop/tiny-Llama", store=store).card.origin == "folder tiny-Llama"
