"""A saved ranker answers in a process that never imports PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mercer.contracts import Runtime
from mercer.testing.small_shop import small_dataset, small_requests
from tests.recommend.sequence.networks import RANKERS, SMALL

ASK = """
import json, sys
from pathlib import Path
import numpy as np
from mercer.contracts import plugins
from mercer.testing.small_shop import small_dataset, small_requests
ranker = plugins.load(plugins.RANKERS, sys.argv[1]).load(Path(sys.argv[2]))
asked = small_requests(small_dataset(), "recommend")
scores = ranker.score(asked, np.arange(24, dtype=np.int32))
heavy = [name for name in ("torch", "transformers", "tensorflow", "onnxruntime") if name in sys.modules]
print(json.dumps({"heavy": heavy, "scores": scores.tolist(), "items": ranker.rank(asked, 10).items.tolist()}))
"""


@pytest.mark.parametrize("name", RANKERS)
def test_serving_does_not_import_torch(name: str, tmp_path: Path) -> None:
    ranker = RANKERS[name](RANKERS[name].Options(**{**SMALL, "epochs": 1, "estimate_steps": 0}))
    train = small_dataset()
    ranker.fit(train, seed=1, runtime=Runtime(threads=1)).save(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", ASK, name, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said = json.loads(done.stdout)
    assert said["heavy"] == []
    asked = small_requests(train, "recommend")
    assert np.array_equal(np.array(said["items"]), ranker.rank(asked, 10).items)
    assert np.array_equal(
        np.array(said["scores"], np.float32), ranker.score(asked, np.arange(24, dtype=np.int32))
    )
