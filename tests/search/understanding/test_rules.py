"""The rule parser."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mercer.search.understanding.contract import Maker
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.rules import RuleMaker, RuleOptions
from mercer.search.understanding.values import CatalogueValues
from mercer.testing.understanding import MakerContract


class TestRules(MakerContract):
    def build(self, items: pd.DataFrame, values: CatalogueValues, facts: ItemFacts) -> Maker:
        return RuleMaker.build(items, values, facts)

    def saved(self, maker: Maker, folder: Path, values: CatalogueValues, facts: ItemFacts) -> Maker:
        assert isinstance(maker, RuleMaker)
        maker.save(folder)
        return RuleMaker.load(folder, values, facts, RuleOptions())
