"""Shared fixtures: an own cache for every test run, and real data where it is at hand."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from mercer.environment import encoder_folder

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts what it puts in the background deaf to Ctrl-C, and children inherit that: some are sent one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A shared machine is slow now and then: no test may fail for its time.
settings.register_profile("mercer", deadline=None)
settings.load_profile("mercer")
# The exported encoder is a part of the installation: tests share it, while their cache is their own.
os.environ["MERCER_ENCODERS"] = str(encoder_folder())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", help="where tests of neural models train: cpu (the default) or cuda")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--device"):
        os.environ["MERCER_DEVICE"] = config.getoption("--device")


def shared_data(name: str) -> Path:
    """The folder of a real data set beside the checkout; skips the test where it is absent."""
    folder = ROOT.parent / "shared" / "data" / name
    if not folder.is_dir():
        pytest.skip(f"real data set {name!r} is not beside this checkout")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test reads or writes the user's cache; it goes with the test, for thousands of them fill a disk."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MERCER_CACHE", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
