from __future__ import annotations

from pathlib import Path

import pytest

from mercer.language.decoders import ModelStore

for library in ("torch", "transformers", "gguf"):
    pytest.importorskip(library)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")
