"""The towers in Keras and in NumPy give one answer; NumPy answers without TensorFlow; fits are reproducible."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mercer.contracts import Floats32, Runtime
from mercer.recommend.sequence.content import Content
from mercer.recommend.two_tower import TwoTower
from mercer.recommend.two_tower.served import ServedTowers
from mercer.recommend.two_tower.towers import NO_ID, Towers
from mercer.recommend.weights_file import WEIGHTS
from mercer.recommend.with_keras import KerasBackend, Windows
from mercer.testing.small_shop import small_dataset, small_requests
from recommend.with_keras.needs import NEEDS_TENSORFLOW

pytestmark = NEEDS_TENSORFLOW

OPTIONS = {
    "width": 16,
    "hidden": 24,
    "epochs": 3,
    "batch": 64,
    "negatives": 8,
    "content": ("brand", "category"),
}


def chance_content(rng: np.random.Generator, n_items: int) -> Content:
    codes = np.stack([rng.integers(0, 5, n_items), rng.integers(0, 9, n_items)], axis=1)
    text = rng.normal(size=(n_items, 12)).astype(np.float32)
    return Content(text=text, codes=codes, names=("brand", "category 1"))


def chance_windows(rng: np.random.Generator, n: int, n_items: int) -> Windows:
    """Histories of every length from 1 to 20."""
    length = rng.integers(1, 21, n)
    there = np.arange(20)[None, :] >= 20 - length[:, None]
    age = np.sort(rng.integers(0, 15, (n, 20)), axis=1)[:, ::-1]
    age = np.where(there, age - age[:, -1:], 0)
    return Windows(
        item=np.where(there, rng.integers(0, n_items, (n, 20)), -1).astype(np.int32),
        age=age.astype(np.float32),
        weight=np.where(there, rng.random((n, 20)) + 0.1, 0).astype(np.float32),
    )


@pytest.mark.parametrize("rates", [(0.5,), (0.2, 0.6, 0.99)])
def test_numpy_answers_as_keras_does(rates: tuple[float, ...]) -> None:
    rng = np.random.default_rng(len(rates))
    options = TwoTower.Options(**OPTIONS, rates=rates)
    content = chance_content(rng, 300)
    backend = KerasBackend.ready()
    towers = Towers.built(content, np.ones(300, bool), options, backend=backend, seed=5)
    for variable in towers.variables:
        # Weights far from their start, so that no part of a tower is near to doing nothing.
        variable.assign(variable + rng.normal(0, 0.3, variable.shape))
    windows = chance_windows(rng, 64, 300)
    keras, served = towers.scores(windows), ServedTowers(towers.arrays()).scores(windows)
    np.testing.assert_allclose(served, keras, rtol=1e-5, atol=1e-5)
    assert (np.argsort(-served, axis=1)[:, :10] == np.argsort(-keras, axis=1)[:, :10]).all()


def test_padding_says_nothing() -> None:
    rng = np.random.default_rng(8)
    towers = Towers.built(
        chance_content(rng, 50),
        np.ones(50, bool),
        TwoTower.Options(**OPTIONS),
        backend=KerasBackend.ready(),
        seed=1,
    )
    whole = chance_windows(rng, 9, 50)
    padded = Windows(**{
        name: np.pad(getattr(whole, name), ((0, 0), (6, 0)), constant_values=-1 if name == "item" else 0)
        for name in ("item", "age", "weight")
    })  # fmt: skip
    np.testing.assert_allclose(towers.scores(padded), towers.scores(whole), rtol=1e-5, atol=1e-5)


def test_an_item_nobody_bought_is_known_by_its_content_alone() -> None:
    rng = np.random.default_rng(9)
    content, bought = chance_content(rng, 20), np.arange(20) != 7
    options, backend = TwoTower.Options(**OPTIONS), KerasBackend.ready()
    towers = Towers.built(content, bought, options, backend=backend, seed=1)
    assert towers.own[7] == NO_ID
    content.text[7], content.codes[7] = content.text[3], content.codes[3]
    hidden = [part[[3]] for part in towers.features(np.arange(20))]
    hidden[0] = np.array([NO_ID], np.int32)
    np.testing.assert_allclose(
        towers.item_vectors()[7], towers.item(hidden, training=False).numpy()[0], rtol=1e-5, atol=1e-6
    )
    nothing = Content(text=content.text[:, :0], codes=content.codes[:, :0], names=())
    assert Towers.built(nothing, bought, options, backend=backend, seed=1).own[7] != NO_ID


def test_a_released_ranker_answers_without_tensorflow(tmp_path: Path) -> None:
    train = small_dataset()
    ranker = TwoTower(TwoTower.Options(**OPTIONS)).fit(train, seed=1)
    ranker.save(tmp_path)
    np.save(tmp_path / "scores.npy", _scores(ranker))
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from mercer.recommend.two_tower import TwoTower\n"
        "from mercer.testing.small_shop import small_dataset, small_requests\n"
        "folder = Path(sys.argv[1])\n"
        "asked = small_requests(small_dataset(), 'recommend')\n"
        "found = TwoTower.load(folder).score(asked, np.arange(24, dtype=np.int32))\n"
        "assert np.array_equal(found, np.load(folder / 'scores.npy'))\n"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


@pytest.mark.parametrize("before", ["", "import torch; torch.ones(300, 300) @ torch.ones(300, 300)"])
def test_another_process_fits_the_same_bytes(tmp_path: Path, before: str) -> None:
    """Also one in which PyTorch was at work first."""
    if before:
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mercer[encoder]'")
    TwoTower(TwoTower.Options(**OPTIONS)).fit(small_dataset(), seed=3, runtime=Runtime(threads=1)).save(
        tmp_path
    )
    other = tmp_path / "other"
    other.mkdir()
    code = (
        f"{before}\n"
        "import sys\n"
        "from pathlib import Path\n"
        "from mercer.contracts import Runtime\n"
        "from mercer.recommend.two_tower import TwoTower\n"
        "from mercer.testing.small_shop import small_dataset\n"
        f"ranker = TwoTower(TwoTower.Options(**{OPTIONS!r}))\n"
        "ranker.fit(small_dataset(), seed=3, runtime=Runtime(threads=1)).save(Path(sys.argv[1]))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(other)], check=True)
    one, two = (hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest() for folder in (tmp_path, other))
    assert one == two


def _scores(ranker: TwoTower) -> Floats32:
    return ranker.score(small_requests(small_dataset(), "recommend"), np.arange(24, dtype=np.int32))
