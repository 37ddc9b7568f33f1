"""RQ-VAE: its trainee keeps what the loop relies on; it learns; no code stays dead; NumPy gives what PyTorch gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from language.semantic_ids.small import SMALL, vectors
from mercer.contracts import Runtime
from mercer.errors import ConflictError
from mercer.language.semantic_ids import RqVae, report
from mercer.language.semantic_ids.network import RqVaeTrainee
from mercer.language.semantic_ids.rqvae import first_codes, nearest_codes
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee


def chosen(**changes: object) -> RqVae.Options:
    return RqVae.Options(**{**SMALL["rqvae"], **changes})


class TestTrainee(TraineeContract):
    splits = False  # whether a code is idle depends on the whole batch

    def make(self) -> Trainee:
        return RqVaeTrainee(vectors(), chosen(), seed=1)


def test_training_lowers_the_error() -> None:
    def r2(epochs: int) -> float:
        return report(RqVae(chosen(epochs=epochs)).fit(vectors(), seed=1), vectors()).r2

    assert r2(80) > r2(1) + 0.05


def test_numpy_codes_and_decodes_as_the_network_does() -> None:
    trainee = RqVaeTrainee(vectors(), chosen(), seed=1)
    codebook = RqVae.of(trainee.arrays(), chosen())
    network = trainee.module
    with torch.no_grad():
        latent = network.encoder(network.vectors)
        total, levels = network.quantised(latent)
        made = network.decoder(total).numpy() / trainee.arrays()["scale"] + trainee.arrays()["mean"]
    codes = codebook.encode(vectors())
    assert np.array_equal(codes, torch.stack([level.own for level in levels], 1).numpy())
    assert np.allclose(codebook.decode(codes), made, atol=1e-5)


def test_a_dead_code_comes_to_life() -> None:
    def used(revive: float) -> int:
        trainee = RqVaeTrainee(vectors(), chosen(revive=revive, learning_rate=0.02), seed=1)
        with torch.no_grad():
            trainee.module.codes[:, 1:] += 10.0
        for step in range(400):
            loss, _ = trainee.loss(np.arange(40), torch.Generator().manual_seed(step))
            loss.backward()
            with torch.no_grad():
                for weight in trainee.module.parameters():
                    weight -= 0.02 * weight.grad / 4
                    weight.grad = None
        return len(set(RqVae.of(trainee.arrays(), chosen()).encode(vectors())[:, 0].tolist()))

    assert used(0.0) == 1
    assert used(8.0) > 1


def test_the_first_codes_are_residual_kmeans() -> None:
    rows = vectors()
    codes = first_codes(rows, 2, 4, seed=1)
    found = nearest_codes(rows, codes)
    assert codes.shape == (2, 4, 6)
    for code in range(4):
        assert np.allclose(codes[0, code], rows[found[:, 0] == code].mean(axis=0), atol=1e-5)


def test_a_checkpoint_of_other_options_is_refused(tmp_path: Path) -> None:
    runtime = Runtime(threads=1, checkpoint_folder=tmp_path)
    done = RqVae(chosen()).fit(vectors(), seed=1, runtime=runtime)
    again = RqVae(chosen()).fit(vectors(), seed=1, runtime=runtime)
    assert again.fingerprint == done.fingerprint
    with pytest.raises(ConflictError, match="options"):
        RqVae(chosen(commitment=0.5)).fit(vectors(), seed=1, runtime=runtime)


def test_the_record_says_what_it_took() -> None:
    record = RqVae(chosen()).fit(vectors(), seed=1).training
    assert record is not None
    assert record.epochs == 8
    assert record.tokens == 8 * 40
