"""A fitted ranker at rest: `options.yaml` beside `weights.safetensors`. Nothing read here can run code.

The safetensors header says which ranker wrote it and for which catalogue, as one JSON text under the key
`mercer`: several keys would be written in an order that changes from run to run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import ValidationError

from mercer.contracts import Options
from mercer.errors import DamagedError

OPTIONS = "options.yaml"
WEIGHTS = "weights.safetensors"
FORMAT = 1

OptionsT = TypeVar("OptionsT", bound=Options)


@dataclass(frozen=True, slots=True)
class Stored(Generic[OptionsT]):
    """What a folder held. catalogue: fingerprint of the item vocabulary the ranker was fitted on."""

    options: OptionsT
    arrays: Mapping[str, npt.NDArray[Any]]
    catalogue: str


def write_weights(
    folder: Path, ranker: str, options: Options, arrays: Mapping[str, npt.NDArray[Any]], *, catalogue: str
) -> None:
    """Write both files into an existing folder; equal content gives equal bytes."""
    from safetensors.numpy import save_file

    header = {"ranker": ranker, "format": FORMAT, "catalogue": catalogue}
    whole = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    save_file(whole, folder / WEIGHTS, metadata={"mercer": json.dumps(header, sort_keys=True)})
    (folder / OPTIONS).write_text(yaml.safe_dump(options.model_dump(mode="json"), sort_keys=False), "utf-8")


def read_weights(folder: Path, ranker: str, options: type[OptionsT]) -> Stored[OptionsT]:
    """Read both files.

    Raises DamagedError when one is missing or damaged, or was written by another ranker or format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["mercer"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        chosen = options.model_validate(yaml.safe_load((folder / OPTIONS).read_text("utf-8")))
    except (OSError, SafetensorError, KeyError, ValueError, yaml.YAMLError, ValidationError) as fault:
        raise DamagedError(
            f"{folder.name} does not hold a whole {ranker} ranker.", remedy="Run mercer again to fit it."
        ) from fault
    if (header["ranker"], header["format"]) != (ranker, FORMAT):
        raise DamagedError(
            f"{folder.name} holds {header['ranker']} in format {header['format']}, not {ranker} in {FORMAT}.",
            remedy="Name the ranker that wrote it, or fit again.",
        )
    return Stored(chosen, arrays, str(header["catalogue"]))
