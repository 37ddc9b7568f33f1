"""A saved generative ranker is whole, or it is refused."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from mercer.errors import ConflictError, DamagedError, MercerError
from mercer.recommend.generative import Generative
from mercer.recommend.generative.parts import DECODER, IDS, Parts, _digest
from mercer.testing.handmade import scores
from recommend.generative.test_ranker import circle
from recommend.generative.tiny import N, fitted, walks


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "one"
    folder.mkdir()
    fitted(epochs=2).save(folder)
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "other"
    folder.mkdir()
    fitted(epochs=3).save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def test_it_answers_as_before(saved: Path) -> None:
    loaded = Generative.load(saved)
    assert np.array_equal(scores(loaded, circle()), scores(fitted(epochs=2), circle()))
    assert loaded.training is not None


def test_equal_fits_write_equal_bytes(saved: Path, tmp_path: Path) -> None:
    fitted(epochs=2).save(tmp_path)
    for path in sorted(saved.rglob("*")):
        if path.is_file() and path.name != "training.json":
            assert path.read_bytes() == (tmp_path / path.relative_to(saved)).read_bytes(), path.name


@pytest.mark.parametrize("part", [IDS, DECODER])
def test_a_part_of_another_fit_is_refused(copy: Path, other: Path, part: str) -> None:
    if part == IDS:
        fitted(walks(n_items=N), epochs=2, ids={"kind": "random", "codebook": {"codes": 5}}).save(other)
    shutil.rmtree(copy / part)
    shutil.copytree(other / part, copy / part)
    with pytest.raises(DamagedError, match="belong to this fit"):
        Generative.load(copy)


def test_any_file_that_is_missing_changed_or_added_is_refused(copy: Path) -> None:
    files = [path for path in sorted(copy.rglob("*")) if path.is_file() and path.parent != copy]
    assert len(files) >= 6
    for path in files:
        kept = path.read_bytes()
        for content in (None, kept[:-1], kept + b" "):
            path.unlink()
            if content is not None:
                path.write_bytes(content)
            with pytest.raises(DamagedError):
                Generative.load(copy)
            path.write_bytes(kept)
    (copy / DECODER / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(DamagedError):
        Generative.load(copy)


def test_weights_that_are_no_safetensors_are_refused(copy: Path) -> None:
    (copy / "weights.safetensors").write_bytes(pickle.dumps({"parts": [1]}))
    with pytest.raises(DamagedError):
        Generative.load(copy)


def test_ids_of_another_codebook_are_refused_whatever_the_hashes_say(copy: Path, other: Path) -> None:
    """The parts themselves say what they belong to."""
    options = Generative.load(copy).options
    wider = fitted(epochs=2, ids={"codebook": {"levels": 2, "codes": 3}})
    wider.save(other)
    shutil.rmtree(copy / IDS)
    shutil.copytree(other / IDS, copy / IDS)
    with pytest.raises((ConflictError, DamagedError)):
        Parts.load(copy, options, catalogue=walks().vocabulary.fingerprint, digest=_digest(copy))


def test_ids_of_another_catalogue_are_refused(copy: Path) -> None:
    options = Generative.load(copy).options
    with pytest.raises(ConflictError, match="catalogue"):
        Parts.load(copy, options, catalogue="another", digest=_digest(copy))


def test_the_header_names_the_ranker(copy: Path) -> None:
    from mercer.recommend.popular import MostPopular

    with pytest.raises(MercerError, match="most-popular"):
        MostPopular.load(copy)
    assert json.loads((copy / "training.json").read_text("utf-8"))["steps"] > 0
