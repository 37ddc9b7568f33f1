"""A model store with one tiny decoder, so that rankers take the whole path: name, hash, files, tokens, scores."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from mercer.environment import model_folder
from mercer.language.decoders import ModelStore, import_model
from mercer.testing.decoders import tiny_decoder

TINY = "tiny"

_real = model_folder()
"""Where the person's own models lie, before a test sets another folder."""


@cache
def tiny_store() -> Path:
    """The store's folder, made once a test run."""
    whole = Path(tempfile.mkdtemp(prefix="mercer-models-"))
    tiny_decoder("llama", window=1024, folder=whole / "source")
    import_model(whole / "source", name=TINY, store=ModelStore(whole / "store"))
    return whole / "store"


def use_tiny_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store of this test be the tiny one."""
    monkeypatch.setenv("MERCER_MODELS", str(tiny_store()))


def use_smollm2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store of this test be the person's own; skips where SmolLM2 is not in it."""
    monkeypatch.setenv("MERCER_MODELS", str(_real))
    if not any(model.card.name == "smollm2-135m-instruct" for model in ModelStore().list()):
        pytest.skip("SmolLM2 is not imported; run: mercer models import smollm2")
