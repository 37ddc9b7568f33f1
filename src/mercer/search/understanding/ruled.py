"""Ranker `understood-rules`: queries read by the rule parser."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from mercer.contracts import Budget, Dataset, Runtime
from mercer.errors import MissingExtraError
from mercer.language import MiniLm
from mercer.search.understanding.ranking import UnderstoodOptions, UnderstoodRanker
from mercer.search.understanding.rules import RuleMaker, RuleOptions


class UnderstoodRules(UnderstoodRanker):
    """Items that meet the filters which rules read from a query come higher. Stability: caller stable."""

    name: ClassVar[str] = "understood-rules"

    class Options(UnderstoodOptions, RuleOptions):
        """Options of `understood-rules`: those of the base search, of the filters, and of the rules."""

    options: Options
    maker: RuleMaker

    def make(self, train: Dataset, *, budget: Budget, seed: int, runtime: Runtime) -> None:  # noqa: ARG002
        """Read the words of the catalogue."""
        self.maker = RuleMaker.build(
            train.items, self.values, self.facts, self.options, real=words_of_language()
        )

    def write_maker(self, folder: Path) -> None:
        """Write the words."""
        self.maker.save(folder)

    def read_maker(self, folder: Path) -> None:
        """Read the words. Raises DamagedError when they are missing or not whole."""
        self.maker = RuleMaker.load(folder, self.values, self.facts, self.options)


def words_of_language() -> frozenset[str]:
    """Words that the text encoder knows whole; none where it is not exported: then more is taken for a slip."""
    try:
        return MiniLm().words
    except MissingExtraError:
        return frozenset()
