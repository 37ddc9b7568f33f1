"""A sparse matrix of items by items as the named arrays that a ranker keeps, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def packed(matrix: csr_array) -> dict[str, npt.NDArray[Any]]:
    """The three arrays of CSR form: indptr int64, indices int32, data float32."""
    return {
        "indptr": matrix.indptr.astype(np.int64),
        "indices": matrix.indices.astype(np.int32),
        "data": matrix.data.astype(np.float32),
    }


def unpacked(arrays: Mapping[str, npt.NDArray[Any]]) -> csr_array:
    """The square matrix that `packed` took apart; other names in `arrays` are not read."""
    from scipy.sparse import csr_array

    n = len(arrays["indptr"]) - 1
    return csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(n, n))
