"""The predictor that the how-to shows keeps the contract it says it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mercer.testing.predictors import PredictorContract

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-predictor.md"


def _shown() -> dict[str, Any]:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2, "the page shows the predictor and its test"
    names: dict[str, Any] = {"__name__": "shown"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    return names


SHOWN = _shown()
TestRecentBuyers = SHOWN["TestRecentBuyers"]


def test_the_shown_test_inherits_the_contract():
    assert issubclass(TestRecentBuyers, PredictorContract)
    assert TestRecentBuyers.predictor.name == "recent-buyers"
