"""The network of an RQ-VAE in PyTorch, and what the training loop asks of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mercer.contracts import Floats32
from mercer.language.semantic_ids.rqvae import first_codes
from mercer.training.place import seed_of
from mercer.training.trainee import Rows

if TYPE_CHECKING:
    from mercer.language.semantic_ids.rqvae import RqVae


_ROWS = 8192
"""Items measured at once."""


class Chosen(NamedTuple):
    """A level's codes of b rows, without gradients.

    own: int64, shape (b,). left: float32, shape (b, latent), what was left over before the level.
    beside: float32, shape (K, latent), of what was left over the nearest to each code.
    """

    own: Tensor
    left: Tensor
    beside: Tensor


class Network(nn.Module):
    """Encoder and decoder, and codes, float32, shape (L, K, latent)."""

    codes: nn.Parameter
    vectors: Tensor

    def __init__(self, vectors: Floats32, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = _layers(widths)
        self.decoder = _layers(widths[::-1])
        self.register_buffer("vectors", torch.from_numpy(vectors), persistent=False)

    def quantised(self, latent: Tensor) -> tuple[Tensor, list[Chosen]]:
        """The sum of each row's codes, and what was chosen at each level."""
        left, total, levels = latent.detach(), torch.zeros_like(latent), []
        for codes in self.codes:
            with torch.no_grad():
                apart = left.square().sum(1, keepdim=True) + codes.square().sum(1) - 2 * left @ codes.T
                own = apart.argmin(1)
                levels.append(Chosen(own, left, left[apart.argmin(0)]))
            total = total + codes[own]
            left = left - codes[own].detach()
        return total, levels


class RqVaeTrainee:
    """What the loop trains. Vectors are standardised by one mean and one scale."""

    def __init__(self, vectors: Floats32, options: RqVae.Options, *, seed: int) -> None:
        self._options = options
        self._mean = vectors.mean(axis=0)
        spread = float(np.sqrt(((vectors - self._mean) ** 2).mean()))
        self._scale = np.float32(1 / spread if spread > 1e-9 else 1.0)
        rows = (vectors - self._mean) * self._scale
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(seed))
            self._network = Network(rows, (vectors.shape[1], *options.hidden, options.latent))
        with torch.no_grad():
            latent = self._network.encoder(self._network.vectors).numpy()
        found = first_codes(latent, options.levels, options.codes, seed=seed)
        self._network.codes = nn.Parameter(torch.from_numpy(found))
        self.module: nn.Module = self._network

    def costs(self) -> Rows:
        """One an item."""
        return np.ones(len(self._network.vectors), np.int64)

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, float]:  # noqa: ARG002 - no chance
        """Sum over items of the mean squared errors of reconstruction, codes and commitment; the number of items."""
        network, o = self._network, self._options
        wanted = network.vectors[torch.from_numpy(rows).to(network.vectors.device)]
        latent = network.encoder(wanted)
        total, levels = network.quantised(latent)
        made = network.decoder(latent + (total - latent).detach())
        loss = (made - wanted).square().mean(1).sum()
        part = torch.zeros_like(latent)
        for codes, level in zip(network.codes, levels, strict=True):
            part = part + codes[level.own].detach()
            loss = loss + (level.left - codes[level.own]).square().mean(1).sum()
            # A level's commitment passes its gradient to the latent vector, never to the codes before it.
            loss = loss + o.commitment * (latent - part).square().mean(1).sum()
            if o.revive:
                idle = torch.ones(len(codes), device=codes.device)
                idle[level.own] = 0.0
                loss = loss + o.revive * ((codes - level.beside).square().mean(1) * idle).sum()
        return loss, float(len(rows))

    def validate(self) -> float | None:
        """R² of the reconstruction of all items."""
        network = self._network
        error = 0.0
        for start in range(0, len(network.vectors), _ROWS):
            rows = network.vectors[start : start + _ROWS]
            made = network.decoder(network.quantised(network.encoder(rows))[0])
            error += float((made - rows).square().sum())
        spread = float(network.vectors.square().sum())
        return 1.0 - error / spread if spread > 0 else 0.0

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What `RqVae.arrays` holds."""
        weights = {name: one.detach().cpu().numpy() for name, one in self._network.named_parameters()}
        return {**weights, "mean": self._mean, "scale": np.array([self._scale], np.float32)}


def _layers(widths: tuple[int, ...]) -> nn.Module:
    """Linear layers; the ReLU between two is `Stack.forward`'s."""
    return Stack(nn.Linear(a, b) for a, b in pairwise(widths))


class Stack(nn.ModuleList):
    """Linear layers with a ReLU between two of them."""

    def forward(self, rows: Tensor) -> Tensor:
        """The last layer's output."""
        for number, layer in enumerate(self):
            rows = layer(rows if number == 0 else functional.relu(rows))
        return rows
