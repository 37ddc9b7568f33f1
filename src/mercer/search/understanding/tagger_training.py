"""The training of the tagger: MiniLM with two heads, on the one training loop, then exported to ONNX and compared.

Only this module of the room needs PyTorch.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mercer.errors import MercerError
from mercer.search.understanding.contract import INTENTS
from mercer.search.understanding.tagging import IGNORED, TAGS, Lesson
from mercer.training.trainee import Rows

TOLERANCE = 1e-3
"""Largest difference of a logit from PyTorch that an export may have."""
_OPSET = 17


class TaggerNetwork(nn.Module):
    """input_ids, attention_mask: int64, (n, t) -> logits of tags, (n, t, TAGS), and of intents, (n, INTENTS).

    trained_layers: how many of the encoder's last layers learn; the others and the embeddings stay as they are.
    """

    def __init__(self, encoder: Any, *, trained_layers: int) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.words.weight.shape[1]
        self.tags = nn.Linear(width, len(TAGS))
        self.intents = nn.Linear(width, len(INTENTS))
        encoder.requires_grad_(False)
        for layer in list(encoder.layers)[len(encoder.layers) - trained_layers :]:
            layer.requires_grad_(True)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each piece, and of the query."""
        hidden = self.encoder.states(input_ids, attention_mask)
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        return self.tags(hidden), self.intents(mean)


class TaggerTrainee:
    """Learns tags and intents of pairs. Validation: the share of queries whose every tag and intent is right."""

    def __init__(self, network: TaggerNetwork, lessons: Sequence[Lesson], held: Sequence[Lesson]) -> None:
        self.module: nn.Module = network
        self._lessons = lessons
        self._held = held

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def costs(self) -> Rows:
        """Pieces of each query."""
        return np.array([len(one.pieces) for one in self._lessons], np.int64)

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, float]:  # noqa: ARG002
        """Cross entropy of the tags of each piece, and of each intent, as heavy as a piece."""
        batch = [self._lessons[row] for row in rows]
        ids, mask, tags, intents = (part.to(self._device) for part in _padded(batch))
        said, meant = self.module(ids, mask)
        total = nn.functional.cross_entropy(
            said.flatten(0, 1).float(), tags.flatten(), ignore_index=IGNORED, reduction="sum"
        ) + nn.functional.cross_entropy(meant.float(), intents, reduction="sum")
        return total, float((tags != IGNORED).sum().item() + len(batch))

    def validate(self) -> float | None:
        """Share of the held queries that are tagged without a fault."""
        if not self._held:
            return None
        right = 0
        order = sorted(self._held, key=lambda one: len(one.pieces))
        for at in range(0, len(order), 64):
            batch = order[at : at + 64]
            ids, mask, tags, intents = (part.to(self._device) for part in _padded(batch))
            said, meant = self.module(ids, mask)
            same = (said.argmax(-1) == tags) | (tags == IGNORED)
            right += int((same.all(1) & (meant.argmax(-1) == intents)).sum().item())
        return right / len(self._held)


def _padded(batch: Sequence[Lesson]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pieces, mask, tags, shape (n, t), and intents, shape (n,)."""
    longest = max(len(one.pieces) for one in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.int64)
    mask = torch.zeros(len(batch), longest, dtype=torch.int64)
    tags = torch.full((len(batch), longest), IGNORED, dtype=torch.int64)
    for row, one in enumerate(batch):
        length = len(one.pieces)
        ids[row, :length] = torch.from_numpy(one.pieces)
        mask[row, :length] = 1
        tags[row, :length] = torch.from_numpy(one.tags)
    return ids, mask, tags, torch.tensor([one.intent for one in batch])


def export_tagger(network: TaggerNetwork, path: Path) -> None:
    """Write the network as ONNX. Raises MercerError when the graph differs from PyTorch by more than TOLERANCE."""
    network = network.to("cpu").eval()
    example = (torch.ones(2, 5, dtype=torch.int64), torch.ones(2, 5, dtype=torch.int64))
    with warnings.catch_warnings():
        # The exporter by tracing is deprecated, and exact for a graph without branches.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, example, str(path), dynamo=False, opset_version=_OPSET,
            input_names=["input_ids", "attention_mask"], output_names=["tags", "intents"],
            dynamic_axes={
                "input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}, "tags": {0: "n", 1: "t"},
                "intents": {0: "n"},
            },
        )  # fmt: skip
    _compare(network, path)


def _compare(network: TaggerNetwork, path: Path) -> None:
    """Run both on shapes other than the traced one, with padding."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for n, t in ((1, 3), (3, 20)):
        ids = rng.integers(1000, network.encoder.words.weight.shape[0], (n, t))
        mask = np.ones_like(ids)
        mask[-1, max(2, t // 2) :] = 0
        got = session.run(None, {"input_ids": ids, "attention_mask": mask})
        with torch.no_grad():
            wanted = network(torch.from_numpy(ids), torch.from_numpy(mask))
        shown = mask.astype(bool)
        gaps = [np.abs(got[0] - wanted[0].numpy())[shown].max(), np.abs(got[1] - wanted[1].numpy()).max()]
        if not max(gaps) <= TOLERANCE:
            raise MercerError(
                f"The exported tagger differs from PyTorch by {max(gaps):.1e} (at most {TOLERANCE:.0e}).",
                remedy="Install the tested versions: pip install -c constraints.txt 'mercer[encoder]'",
            )
