"""TensorFlow and Keras, imported where they are used: nothing else of mercer loads them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from mercer import environment
from mercer.errors import MissingExtraError, UnsupportedError


@dataclass(frozen=True, slots=True)
class KerasBackend:
    """The two modules, ready: on TensorFlow, deterministic, with the threads asked for."""

    tf: Any
    keras: Any

    @classmethod
    def ready(cls, threads: int = 1) -> KerasBackend:
        """Import both, or take what is imported.

        Kernels that could give other bits in another run are refused from then on in this process. Threads can
        be set only before TensorFlow's first operation; later the process keeps those it has.
        Raises MissingExtraError without TensorFlow, UnsupportedError where Keras is told to use another library.
        """
        # oneDNN's order of sums depends on the processor, and is no quicker here (docs/results/2026-11-sequence.md).
        environment.default("TF_ENABLE_ONEDNN_OPTS", "0")
        # TensorFlow greets on standard error before any of its own settings can be reached.
        environment.default("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            tf = importlib.import_module("tensorflow")
        except ImportError as fault:
            raise MissingExtraError("TensorFlow", "tensorflow") from fault
        try:
            keras = importlib.import_module("keras")
            library = keras.backend.backend()
        except ImportError as fault:
            library = f"a library that can't be imported ({fault})"
        if library != "tensorflow":
            raise UnsupportedError(
                f"Keras is told to compute with {library}; mercer trains it on TensorFlow.",
                remedy="Unset KERAS_BACKEND, and the backend in keras.json.",
            )
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass
        tf.config.experimental.enable_op_determinism()
        return cls(tf, keras)
