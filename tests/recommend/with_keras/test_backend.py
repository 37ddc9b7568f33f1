"""TensorFlow: what is said where it is missing, and what of mercer stays away from it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mercer.errors import MissingExtraError, UnsupportedError
from mercer.recommend.two_tower import TwoTower
from mercer.testing.small_shop import small_dataset
from recommend.with_keras.needs import NEEDS_TENSORFLOW


def test_without_tensorflow_the_command_that_mends_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mercer\[tensorflow\]'"):
        TwoTower(TwoTower.Options(content=())).fit(small_dataset())


def test_a_log_that_asks_nothing_needs_no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    fitted = TwoTower().fit(small_dataset(empty=True))
    assert fitted.notes == ("No history holds anything to foretell: answers follow popularity.",)


def test_naming_the_rankers_imports_no_heavy_library() -> None:
    code = (
        "import sys, mercer.recommend.two_tower, mercer.recommend.with_keras\n"
        "heavy = {'tensorflow', 'keras', 'torch', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class TestWithTensorFlow:
    pytestmark = NEEDS_TENSORFLOW

    def test_keras_on_another_library_is_refused(self) -> None:
        code = (
            "from mercer.recommend.with_keras import KerasBackend\n"
            "try:\n    KerasBackend.ready()\nexcept Exception as fault:\n    print(type(fault).__name__, fault)"
        )
        environment = {**os.environ, "KERAS_BACKEND": "jax"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert done.stdout.startswith(UnsupportedError.__name__)
        assert "Unset KERAS_BACKEND" in done.stdout
