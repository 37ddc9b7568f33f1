"""The small folder of the how-to is in the format of a large one."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from mercer.language.decoders import Decoder, ModelStore, import_model

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "small_decoder.py"


@pytest.mark.parametrize("family", ["mistral", "llama"])
def test_it_is_sharded_and_can_be_imported(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), family, str(tmp_path / "small")])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert len(list((tmp_path / "small").glob("model-*-of-*.safetensors"))) > 1
    model = import_model(tmp_path / "small", name=family, store=ModelStore(tmp_path / "models"))
    decoder = Decoder.load(model)
    assert (decoder.family, decoder.window) == (family, 512)
    title = "Cooper's Row White Wine, Albariño, 75 cl"
    assert decoder.decode(decoder.encode(title)) == title
