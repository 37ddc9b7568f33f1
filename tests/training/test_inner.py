"""A ranker inside another is named in full, kept with a digest, and read only as it was kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mercer.errors import DamagedError
from mercer.testing.small_shop import small_dataset
from mercer.training import RECORD_FILE
from mercer.training.inner import keep, new, read, resolved


def test_all_options_are_filled_in() -> None:
    options = resolved("item-knn", {"decay": 0.5}, "recommend")
    assert options["decay"] == 0.5
    assert len(options) > 5
    assert new("item-knn", options).options.model_dump(mode="json") == options


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'item-knn'"):
        resolved("item-kn", {}, "recommend")
    with pytest.raises(ValueError, match="no scores for the task search"):
        resolved("item-knn", {}, "search")
    with pytest.raises(ValidationError, match="decay"):
        resolved("item-knn", {"decay": -1}, "recommend")


def test_the_digest_is_of_all_files_but_records_of_trainings(tmp_path: Path) -> None:
    ranker = new("most-popular", {}).fit(small_dataset())
    digest = keep(ranker, tmp_path / "inside")
    assert keep(ranker, tmp_path / "again") == digest
    (tmp_path / "inside" / RECORD_FILE).write_text("{}", "utf-8")
    assert read("most-popular", tmp_path / "inside", digest).name == "most-popular"
    for wrong in (b"", digest[::-1]):
        with pytest.raises(DamagedError, match="most-popular that belongs to this fit"):
            read("most-popular", tmp_path / "inside", wrong)
    options = tmp_path / "inside" / "options.yaml"
    options.write_text(options.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(DamagedError, match="belongs to this fit"):
        read("most-popular", tmp_path / "inside", digest)
    with pytest.raises(DamagedError, match="belongs to this fit"):
        read("most-popular", tmp_path / "gone", digest)
