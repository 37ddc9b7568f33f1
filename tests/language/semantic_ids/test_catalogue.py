"""All of it together: from a catalogue and a log to IDs, stored, extended, and bound to one another."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from language.semantic_ids.small import Words, catalogue, events, options, titles
from mercer.contracts import Runtime, Vocabulary
from mercer.errors import ConflictError, DamagedError, DataError
from mercer.language.semantic_ids import SemanticCatalogue
from mercer.language.semantic_ids.kinds import KINDS

every = pytest.mark.parametrize("kind", KINDS)
PARTS = ("vectors", "codebook", "ids")
ODD = {"one": ["one mug"], "no titles": ["", ""], "equal": ["mug"] * 30, "no UTF-8": ["a \ud800 b", "lamp"]}


def built(cache: Path, kind: str = "residual-kmeans", names: list[str] | None = None) -> SemanticCatalogue:
    frame, vocabulary = catalogue(names)
    log = events() if names is None else None
    return SemanticCatalogue.build(
        frame, vocabulary, log, Words(), options(kind), runtime=Runtime(cache_folder=cache, threads=1)
    )


def more(names: list[str]) -> tuple[pd.DataFrame, Vocabulary]:
    ids = [f"new{number}" for number in range(len(names))]
    return pd.DataFrame({"item": ids, "title": names}), Vocabulary([*catalogue()[1].ids, *ids])


@every
def test_saved_and_loaded_it_is_itself_and_gives_new_items_the_same_paths(kind: str, tmp_path: Path) -> None:
    made = built(tmp_path, kind)
    made.save(tmp_path / "there")
    again = SemanticCatalogue.load(tmp_path / "there", catalogue=catalogue()[1].fingerprint)
    assert again.ids.fingerprint == made.ids.fingerprint
    new, whole = more(["tiny blue mug", "grey desk lamp"])
    runtime = Runtime(cache_folder=tmp_path)
    one, other = (held.extended(new, whole, Words(), runtime=runtime) for held in (made, again))
    assert one.ids.fingerprint == other.ids.fingerprint
    assert np.array_equal(one.ids.codes[:24], made.ids.codes)


@pytest.mark.parametrize("kind", ["residual-kmeans", "rqvae"])
def test_a_new_item_of_a_known_title_has_the_codes_of_its_text(kind: str, tmp_path: Path) -> None:
    made = built(tmp_path, kind, titles())
    new, whole = more(titles()[:3])
    found = made.extended(new, whole, Words(), runtime=Runtime(cache_folder=tmp_path)).ids.codes
    assert np.array_equal(found[24:, :2], found[:3, :2])
    assert (found[24:, 2] != found[:3, 2]).all()


@every
@pytest.mark.parametrize("names", ODD.values(), ids=ODD)
def test_odd_catalogues_have_a_path_for_each_item(kind: str, names: list[str], tmp_path: Path) -> None:
    made = built(tmp_path, kind, names)
    assert len(np.unique(made.ids.codes, axis=0)) == len(names)
    made.save(tmp_path / "there")
    assert SemanticCatalogue.load(tmp_path / "there").ids.fingerprint == made.ids.fingerprint


def test_counts_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    frame, vocabulary = catalogue()
    with pytest.raises(DataError, match="3 rows"):
        SemanticCatalogue.build(frame[:3], vocabulary, None, Words(), options())
    with pytest.raises(DataError, match="0 rows"):
        SemanticCatalogue.build(frame[:0], Vocabulary([]), None, Words(), options())
    with pytest.raises(DataError, match="old ones"):
        built(tmp_path).extended(frame[:2], vocabulary, Words())


def test_another_encoder_or_catalogue_is_refused(tmp_path: Path) -> None:
    made = built(tmp_path)
    new, whole = more(["tiny mug"])
    with pytest.raises(ConflictError, match="encoder"):
        made.extended(new, whole, Words("another"))
    made.save(tmp_path / "there")
    with pytest.raises(ConflictError, match="catalogue"):
        SemanticCatalogue.load(tmp_path / "there", catalogue=whole.fingerprint)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_another_catalogue_is_refused(part: str, tmp_path: Path) -> None:
    built(tmp_path).save(tmp_path / "one")
    built(tmp_path, names=[f"{title} again" for title in titles()]).save(tmp_path / "other")
    for file in (tmp_path / "other").glob(f"{part}.*"):
        shutil.copy(file, tmp_path / "one")
    with pytest.raises(ConflictError, match="belong to"):
        SemanticCatalogue.load(tmp_path / "one")


@every
@pytest.mark.parametrize("part", PARTS)
def test_damage_is_refused(kind: str, part: str, tmp_path: Path) -> None:
    built(tmp_path, kind).save(tmp_path / "there")
    file = tmp_path / "there" / f"{part}.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=part):
        SemanticCatalogue.load(tmp_path / "there")
