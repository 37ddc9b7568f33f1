from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import DamagedError, UnsupportedError
from mercer.recommend import BuyAgain, ItemKnn, MostPopular
from mercer.testing.handmade import dataset, log

EVENTS = dataset(log([(0, 1), (1, 2)], n_items=2))


def test_two_fits_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ItemKnn().fit(EVENTS).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["options.yaml", "weights.safetensors"]
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_what_is_not_fitted_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="not fitted"):
        MostPopular().save(tmp_path)


@pytest.mark.parametrize("file", ["weights.safetensors", "options.yaml"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"{}", b"window: much\n"])
def test_a_missing_or_damaged_file_is_refused(tmp_path: Path, file: str, content: bytes | None) -> None:
    ItemKnn().fit(EVENTS).save(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    if (file, content) == ("options.yaml", b"{}"):
        assert ItemKnn.load(tmp_path).options == ItemKnn().options, "every option left out is the default"
        return
    with pytest.raises(DamagedError, match="does not hold a whole item-knn ranker"):
        ItemKnn.load(tmp_path)


def test_a_truncated_weights_file_is_refused(tmp_path: Path) -> None:
    ItemKnn().fit(EVENTS).save(tmp_path)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(DamagedError):
        ItemKnn.load(tmp_path)


def test_another_rankers_weights_are_refused(tmp_path: Path) -> None:
    MostPopular().fit(EVENTS).save(tmp_path)
    with pytest.raises(DamagedError, match="holds most-popular in format 1, not buy-again in 1"):
        BuyAgain.load(tmp_path)
