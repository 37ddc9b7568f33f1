"""The JSON part of a predictor's folder: written whole, read with checks, never pickled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mercer.errors import DamagedError
from mercer.features import definitions_hash

FILE = "predictor.json"
SCHEMA = 1


def write(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Write `content` with the predictor's name, the schema and the hash of the feature definitions."""
    head = {"schema": SCHEMA, "predictor": name, "features": definitions_hash()}
    text = json.dumps({**head, **content}, indent=1, sort_keys=True, allow_nan=False)
    part = folder / f"{FILE}.part"
    part.write_text(text + "\n", "utf-8")
    os.replace(part, folder / FILE)  # noqa: PTH105


def read(folder: Path, name: str) -> dict[str, Any]:
    """What `write` wrote.

    Raises DamagedError when the file is missing, is no JSON, belongs to another predictor or schema, or was
    fitted with feature definitions other than those of this mercer.
    """
    try:
        content = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise DamagedError(f"{FILE} is missing or no JSON.", remedy="Fit the model again.") from fault
    if not isinstance(content, dict) or (content.get("schema"), content.get("predictor")) != (SCHEMA, name):
        raise DamagedError(
            f"{FILE} does not describe a {name} of schema {SCHEMA}.", remedy="Fit the model again."
        )
    if content.get("features") != definitions_hash():
        raise DamagedError(
            "The model was fitted with other feature definitions than this mercer computes.",
            remedy="Fit the model again, or serve it with the mercer that fitted it.",
        )
    return content


@contextmanager
def damage() -> Iterator[None]:
    """Turn what a wrong content raises while it is read into a DamagedError."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as fault:
        raise DamagedError(
            f"{FILE} lacks something or holds it wrongly.", remedy="Fit the model again."
        ) from fault
