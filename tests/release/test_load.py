from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mercer.errors import DamagedError, NotFoundError
from mercer.release import Release, load, locate
from mercer.release.manifest import Manifest
from release.small_shop import Shop, requests_at

WEIGHTS = "models/next-item/weights.safetensors"


def test_a_whole_release_loads_from_the_run_folder_too(folder: Path) -> None:
    assert load(folder).hash == load(folder.parent).hash


def test_a_place_without_a_release_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no release"):
        locate(tmp_path)


def test_one_changed_byte_is_refused_and_named(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(content))
    with pytest.raises(DamagedError, match=f"{WEIGHTS} was changed"):
        load(folder)


def test_a_missing_and_a_foreign_file_are_both_named(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "models" / "next-item" / "other.safetensors")
    with pytest.raises(DamagedError) as caught:
        load(folder)
    assert f"{WEIGHTS} is missing" in str(caught.value)
    assert "models/next-item/other.safetensors is not part of it" in str(caught.value)


def test_a_link_in_place_of_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / WEIGHTS).rename(tmp_path / "elsewhere")
    (folder / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedError, match="is a link"):
        load(folder)


@pytest.mark.parametrize("field", ["name", "features_hash", "decision", "phase"])
def test_an_edited_manifest_is_refused(folder: Path, field: str) -> None:
    content = json.loads((folder / "release.json").read_text())
    content[field] = {"decision": "ship", "phase": "final"}.get(field, "x")
    (folder / "release.json").write_text(json.dumps(content))
    with pytest.raises(DamagedError, match="changed after it was written"):
        load(folder)


def test_a_manifest_of_another_schema_says_so(folder: Path) -> None:
    newer = Manifest.read(folder).model_copy(update={"schema_": 2}).sealed()
    newer.write(folder)
    with pytest.raises(DamagedError, match="schema 2"):
        load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', "\x00"])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "release.json").write_text(text)
    with pytest.raises(DamagedError, match=r"release\.json"):
        load(folder)


def test_an_empty_lock_file_of_an_index_is_no_difference(folder: Path) -> None:
    (folder / "models" / "next-item" / ".tantivy-meta.lock").touch()
    assert load(folder).hash
    (folder / "models" / "next-item" / ".tantivy-meta.lock").write_text("x")
    with pytest.raises(DamagedError, match="is not part of it"):
        load(folder)


def test_what_was_saved_is_what_is_loaded(shop: Shop, candidate: Release) -> None:
    again = load(candidate.folder)
    assert again.vocabulary == candidate.vocabulary
    assert again.items.equals(candidate.items)
    assert again.brief == candidate.brief
    asked = requests_at(shop.log, np.arange(30), query=("walnut chair",) * 30)
    for name, ranker in candidate.rankers.items():
        before, after = ranker.rank(asked, 10), again.rankers[name].rank(asked, 10)
        assert np.array_equal(before.items, after.items)
        assert np.array_equal(before.scores, after.scores)


def test_a_release_of_other_feature_definitions_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercer.features.definitions_hash", lambda: "f" * 64)
    with pytest.raises(DamagedError, match="feature definitions"):
        load(folder)
