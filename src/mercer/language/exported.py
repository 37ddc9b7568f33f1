"""An exported encoder at rest: a folder with the network, the tokenizer and a manifest of their hashes.

    FOLDER/model.onnx       input_ids, attention_mask (int64, n x t) -> embedding (float32, n x d), unit rows
    FOLDER/tokenizer.json   the tokenizer as the `tokenizers` library reads it
    FOLDER/manifest.json    what was exported from what, and the SHA-256 of both files

The manifest is written last and the folder is renamed into place, so a folder with a manifest is whole unless
someone changed it afterwards.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from mercer.errors import DamagedError, MissingExtraError

MODEL = "all-MiniLM-L6-v2"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
MANIFEST = "manifest.json"
FORMAT = 1

_REMEDY = (
    "Run `make setup`; without the Makefile: pip install 'mercer[encoder]', then "
    "python -m mercer.language.export"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedEncoder:
    """What a manifest says.

    dimension: width of a vector. max_tokens: longer texts are cut there, both special tokens included.
    source_sha256: hash of the weights that were exported. files: SHA-256 by file name.
    made_with: versions of the libraries that exported it.
    """

    model: str
    dimension: int
    max_tokens: int
    pooling: str
    source: str
    source_sha256: str
    files: dict[str, str]
    made_with: dict[str, str]
    format: int = FORMAT

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what decides a vector: weights, tokenizer, length limit and pooling.

        The bytes of the ONNX file are left out: another version of the exporter writes other bytes for the
        same function, and vectors made on one machine must stay usable on the next.
        """
        parts = (
            self.model, self.source_sha256, self.files[TOKENIZER], str(self.max_tokens), self.pooling,
            str(self.dimension),
        )  # fmt: skip
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write the manifest into `folder`."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"
        (folder / MANIFEST).write_text(text, "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of `folder` and check every file against it.

        Raises MissingExtraError naming `make setup` when nothing was exported there, DamagedError naming the
        file that differs otherwise.
        """
        try:
            content = json.loads((folder / MANIFEST).read_text("utf-8"))
        except FileNotFoundError:
            raise _absent() from None
        except (OSError, ValueError) as fault:
            raise _damaged(folder, MANIFEST) from fault
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise _damaged(folder, MANIFEST)
        try:
            manifest = cls(**content)
            expected = {name: manifest.files[name] for name in (GRAPH, TOKENIZER)}
        except (TypeError, KeyError) as fault:
            raise _damaged(folder, MANIFEST) from fault
        for name, digest in expected.items():
            if not (folder / name).is_file() or file_sha256(folder / name) != digest:
                raise _damaged(folder, name)
        return manifest


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _absent() -> MissingExtraError:
    error = MissingExtraError(f"The exported text encoder {MODEL}", "encoder")
    error.remedy = _REMEDY
    return error


def _damaged(folder: Path, name: str) -> DamagedError:
    return DamagedError(
        f"The text encoder in {folder.name!r} is damaged: {name} differs from what its manifest says.",
        remedy=f"Delete that folder. {_REMEDY}",
    )
