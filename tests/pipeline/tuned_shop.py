"""A small shop whose models are quick to tune, its brief as a file, and a predictor that breaks on some options."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mercer.contracts import plugins
from mercer.simulate import demo_brief

SHOP = {"users": 260, "items": 90, "judged_queries": 30}
COMMENT = "# Who comes back within two months."


def brief_text(models: list[str], *, trials: int = 5, seconds: float = 600, **changes: Any) -> str:
    """A brief whose decision is repurchase, with one comment in its targets. changes: top-level keys."""
    content = yaml.safe_load(demo_brief().read_text("utf-8"))
    content["name"] = "tuned-shop"
    content["data"]["simulate"] |= SHOP
    content["decision"] = {
        "date": content["decision"]["date"], "target": "repurchase", "metric": "brier", "against": models[0],
    }  # fmt: skip
    repurchase = content.pop("targets")["repurchase"] | {"models": models}
    repurchase.pop("capacity_per_day")
    content["tuning"] = {"trials": trials, "seconds": seconds}
    head = yaml.safe_dump(content | changes, sort_keys=False)
    body = yaml.safe_dump({"targets": {"repurchase": repurchase}}, sort_keys=False)
    return head + body.replace("targets:\n", f"targets:\n  {COMMENT}\n")


FRAGILE = '''
from typing import Any, ClassVar
from mercer.behavior.single import Recency
from mercer.contracts import Options as Base, searched
from mercer.errors import UnsupportedError


class Fragile(Recency):
    """Recency that fails on most of its options."""

    name = "fragile"

    class Options(Recency.Options):
        """How it breaks."""

        way: str = searched("well", choices=("well", "typed", "memory", "fault", "nothing"), description="how")

    options: Options

    def fit(self, train: Any, **how: Any) -> Any:
        if self.options.way == "typed":
            raise UnsupportedError("It can't.", remedy="Leave it.")
        if self.options.way == "memory":
            raise MemoryError
        if self.options.way == "fault":
            raise ZeroDivisionError("with what must not be shown")
        if self.options.way == "nothing":
            self.notes = ("It stopped early.",)
        return super().fit(train, **how)
'''


def install_fragile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the predictor `fragile` as another package would: a module and its entry point, on the path."""
    (folder / "fragile_model.py").write_text(textwrap.dedent(FRAGILE))
    about = folder / "fragile_model-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fragile-model\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{plugins.PREDICTORS}]\nfragile = fragile_model:Fragile\n")
    monkeypatch.syspath_prepend(str(folder))
    plugins._entries.cache_clear()
    yield
    monkeypatch.undo()
    plugins._entries.cache_clear()
