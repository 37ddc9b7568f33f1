"""What a person may choose about the two-stage ranker; the defaults were chosen on validation data."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from mercer.contracts import searched
from mercer.errors import nearest
from mercer.recommend.signals import SignalOptions

SOURCES = ("neighbours", "chains", "titles", "brand", "category", "popular", "again", "seen")
"""Where candidates come from; what the data do not hold (titles, brands, views) gives none."""

GROUPS = (
    "neighbours", "chains", "factors", "titles", "brand", "category", "popularity", "trend", "prices", "person",
    "again", "seen",
)  # fmt: skip
"""Groups of features of the second stage."""


class TwoStageOptions(SignalOptions):
    """First stage: `sources`, `breadth` and how neighbours are counted. Second stage: `groups`, labels, trees."""

    known_sources: ClassVar[tuple[str, ...]] = SOURCES
    known_groups: ClassVar[tuple[str, ...]] = GROUPS

    sources: tuple[str, ...] = Field(SOURCES, min_length=1, description="where candidates come from")
    groups: tuple[str, ...] = Field(GROUPS, min_length=1, description="groups of features that are read")
    breadth: float = searched(
        1.0,
        low=0.25,
        high=2.0,
        ge=0.05,
        le=10,
        description="candidates of every source, relative to the usual number",
    )
    text: bool = Field(True, description="encode titles with MiniLM; off, titles are not read")
    window: int = Field(20, ge=1, description="steps apart, at most, that still make a pair")
    reach: int = Field(20, ge=1, description="events apart, at most")
    gap_exponent: float = searched(
        0.5, low=0.0, high=1.5, ge=0, le=4, description="decay of a pair with its gap"
    )
    backward: float = searched(
        0.6, low=0.0, high=1.0, ge=0, le=1, description="weight of pairs against the order"
    )
    together: float = searched(
        0.2, low=0.0, high=2.0, ge=0, le=10, description="weight of pairs within one step"
    )
    row_exponent: float = searched(
        0.5, low=0.0, high=1.0, ge=0, le=1, description="normalisation by the history's item"
    )
    column_exponent: float = searched(
        0.35, low=0.0, high=1.0, ge=0, le=1, description="normalisation by the answered item"
    )
    shrinkage: float = Field(4.0, ge=0, le=1e6, description="added to the answered item's count")
    neighbours: int = Field(500, ge=1, description="neighbours kept for each item")
    decay: float = searched(
        0.75, low=0.3, high=1.0, gt=0, le=1, description="weight kept per step of age, in the first stage"
    )
    factors: int = Field(64, ge=0, le=512, description="numbers an item is summed up in; 0: none")
    label_folds: int = Field(
        3, ge=1, le=20, description="logs without a clock: parts of the users, labelled in turn"
    )
    label_places: int = Field(
        1, ge=1, le=10, description="logs without a clock: last events that are labels, one at a time"
    )
    label_cuts: int = Field(5, ge=1, le=50, description="logs with a clock: days at which labels begin")
    label_lags: int = Field(
        1, ge=0, le=50, description="logs with a clock: how many times later each cut is asked again"
    )
    label_days: float = Field(
        28.0,
        gt=0,
        le=3660,
        description="logs with a clock: days between them, and days that a label may take",
    )
    lists: int = Field(40_000, ge=10, description="most histories that are learned from")
    negatives: int = Field(
        100, ge=1, description="candidates without a purchase kept of each history, on average"
    )
    rounds: int = Field(400, ge=1, description="most trees of a member")
    patience: int = Field(40, ge=1, description="trees without a better held-out ndcg@10 before stopping")
    learning_rate: float = searched(
        0.05,
        low=0.02,
        high=0.2,
        log=True,
        gt=0,
        le=1,
        description="share of each tree's answer that is added",
    )
    leaves: int = searched(31, low=7, high=127, log=True, ge=2, le=4096, description="most leaves of a tree")
    min_rows_per_leaf: int = searched(
        50, low=10, high=1000, log=True, ge=1, description="fewest rows of a leaf"
    )
    feature_share: float = searched(
        1.0, low=0.3, high=1.0, gt=0, le=1, description="share of features each tree may use"
    )
    truncation: int = searched(
        20, low=5, high=100, log=True, ge=1, description="places of a list that the objective looks at"
    )
    members: int = Field(1, ge=1, le=20, description="boosters with seeds of their own, averaged")

    @model_validator(mode="after")
    def _names_are_known(self) -> TwoStageOptions:
        for given, known in ((self.sources, self.known_sources), (self.groups, self.known_groups)):
            for name in given:
                if name not in known:
                    raise ValueError(f"{name!r} is not among {', '.join(known)}. {nearest(name, known)}")
        return self
