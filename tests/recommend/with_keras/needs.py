"""The mark of tests that need TensorFlow, without importing it when tests are collected."""

from importlib.util import find_spec

import pytest

NEEDS_TENSORFLOW = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(
        find_spec("tensorflow") is None,
        reason="TensorFlow is not installed: pip install 'mercer[tensorflow]'",
    ),
]
