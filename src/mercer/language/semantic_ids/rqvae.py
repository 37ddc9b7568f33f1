"""RQ-VAE: residual codes of a small autoencoder's latent vectors, learned together with it on the one training loop.

PyTorch trains; encoding and decoding are NumPy, so that a server needs no PyTorch. The codes start at residual k-means
of the untrained latent vectors. A code that no row of a batch chose is drawn to the row nearest to it, as if a
part of that row had chosen it: so no code stays dead, and a step remembers nothing of the step before.
Source: Zeghidour et al., SoundStream, 2021; Lee et al., CVPR 2022; for item IDs Rajput et al., NeurIPS 2023; of the
revival Zheng and Vedaldi, Online Clustered Codebook, ICCV 2023.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import Budget, Codes, Floats32, Runtime, searched
from mercer.errors import UsageError
from mercer.language.semantic_ids.codebook import Arrays, checked, hash_of
from mercer.language.semantic_ids.kmeans import Points, kmeans
from mercer.language.semantic_ids.options import CodebookOptions
from mercer.training import TrainingOptions, TrainingRecord, train

KMEANS_ROUNDS = 10
"""Of the start of the codes; they move afterwards."""

OWN = {"levels", "codes", "hidden", "latent", "commitment", "revive"}
"""Options that a checkpoint must share, besides those of every training."""


class RqVae:
    """L levels of codes in a latent space. `training`: the record of the training, None where it was loaded."""

    kind = "rqvae"

    class Options(CodebookOptions, TrainingOptions):
        """Options. A cost unit of `batch_tokens` is an item."""

        hidden: tuple[int, ...] = Field(
            (256, 128), description="widths of the layers between vector and latent"
        )
        latent: int = Field(32, ge=1, description="width of the latent vectors that are coded")
        commitment: float = searched(
            0.25, low=0.05, high=1.0, log=True, ge=0, description="how dear it is to leave the code (beta)"
        )
        revive: float = Field(
            0.1,
            ge=0,
            description="a code that no row chose moves to the nearest row, as if this part of it had chosen it",
        )
        epochs: int = Field(100, ge=1, description="passes over the items")
        batch_tokens: int = Field(1024, ge=1, description="items a batch")
        evaluate_every: float = Field(10.0, gt=0, description="epochs between two measurements of R²")
        patience: int = Field(
            0, ge=0, description="measurements without a gain that end the training; 0: never"
        )
        estimate_steps: int = Field(0, ge=0, description="steps measured before the training; 0: none")

    training: TrainingRecord | None = None

    def __init__(self, options: CodebookOptions | None = None) -> None:
        self.options = options if isinstance(options, self.Options) else self.Options()
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Codes of each level."""
        codes = self.arrays()["codes"]
        return (int(codes.shape[1]),) * len(codes)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the kind and the weights."""
        return hash_of(self.kind, self.arrays())

    def fit(
        self, vectors: Floats32, *, seed: int, runtime: Runtime | None = None, budget: Budget | None = None
    ) -> Self:
        """See `Codebook.fit`; also what `mercer.training.train` raises. Returns a new, fitted codebook.

        With `runtime.checkpoint_folder` an interrupted fit goes on where it stopped.
        """
        from mercer.language.semantic_ids.network import RqVaeTrainee

        o, rows = self.options, checked(vectors)
        trainee = RqVaeTrainee(rows, o, seed=seed)
        facts = {"vectors": hash_of("vectors", {"vectors": rows}), "options": o.model_dump_json(include=OWN)}
        record = train(trainee, o, seed=seed, facts=facts, runtime=runtime, budget=budget)
        made = self.of(trainee.arrays(), o)
        made.training = record
        return made

    def encode(self, vectors: Floats32) -> Codes:
        """See `Codebook.encode`."""
        return nearest_codes(self._latent(vectors), self.arrays()["codes"])

    def _latent(self, vectors: Floats32) -> Floats32:
        arrays = self.arrays()
        return perceptron((vectors - arrays["mean"]) * arrays["scale"], arrays, "encoder")

    def decode(self, codes: Codes) -> Floats32:
        """See `Codebook.decode`."""
        arrays = self.arrays()
        latent = np.sum([arrays["codes"][level, codes[:, level]] for level in range(codes.shape[1])], axis=0)
        made = perceptron(latent, arrays, "decoder") / arrays["scale"] + arrays["mean"]
        return np.asarray(made, np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Codes, float32, shape (L, K, latent); weights of both networks; mean and scale of the vectors."""
        if not self._arrays:
            raise UsageError("This codebook was not fitted.", remedy="Call fit, or load one that was.")
        return self._arrays

    @classmethod
    def of(cls, arrays: Arrays, options: CodebookOptions) -> Self:
        """See `Codebook.of`."""
        made = cls(options)
        made._arrays = dict(arrays)
        return made


def perceptron(rows: Floats32, arrays: Arrays, name: str) -> Floats32:
    """Layers NAME.0, NAME.1 ... with a ReLU between two of them, float32, shape (n, out)."""
    depth = sum(key.startswith(f"{name}.") and key.endswith(".weight") for key in arrays)
    for layer in range(depth):
        rows = rows @ arrays[f"{name}.{layer}.weight"].T + arrays[f"{name}.{layer}.bias"]
        if layer < depth - 1:
            rows = np.maximum(rows, np.float32(0))
    return np.asarray(rows, np.float32)


def nearest_codes(latent: Floats32, codes: Floats32) -> Codes:
    """Residual codes, int32, shape (n, L). codes: float32, shape (L, K, latent)."""
    left = latent
    found = np.empty((len(latent), len(codes)), np.int32)
    for level, at in enumerate(codes):
        found[:, level] = Points(at, np.zeros(len(at), np.float32)).nearest(left)
        left = left - at[found[:, level]]
    return found


def first_codes(latent: Floats32, levels: int, codes: int, *, seed: int) -> Floats32:
    """Residual k-means of latent vectors, float32, shape (L, K, latent). K: `codes`, or the rows where they are fewer.

    A code without rows is put on a row of chance, a little aside.
    """
    left, made = latent, []
    k = min(codes, len(latent))
    for level in range(levels):
        chance = np.random.default_rng([seed, level])
        points = kmeans(left, k, rounds=KMEANS_ROUNDS, balance=0.0, chance=chance)
        idle = np.flatnonzero(~np.isfinite(points.price))
        at = points.at.copy()
        aside = 1e-3 * (1e-6 + float(np.abs(left).mean()))
        at[idle] = left[chance.integers(0, len(left), len(idle))] + aside * chance.standard_normal(
            (len(idle), left.shape[1])
        )
        left = left - at[Points(at, np.zeros(k, np.float32)).nearest(left)]
        made.append(at)
    return np.stack(made).astype(np.float32)
