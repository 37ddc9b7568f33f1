"""Customers: where they live, how old they are, what they like, and what they told about themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.activity import Rates, draw_rates
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.season import Calendar, Floats, Ints

PLACES = (
    ("EU", "IE", 0.15), ("EU", "DE", 0.13), ("EU", "FR", 0.10), ("EU", "NL", 0.08), ("UK", "GB", 0.30),
    ("US", "US", 0.09), ("US-CA", "US", 0.08), ("US-CO", "US", 0.03), ("US-NY", "US", 0.04),
)  # fmt: skip
_UNKNOWN_AGE, _TEEN, _CHILD = 0.14, 0.012, 0.003
_FAVOURITES = 4


@dataclass(frozen=True)
class People:
    """U customers. place: position in PLACES. age: true years; age_known: whether the shop was told.

    liking: float32 (U, n_categories); brand_liking: float32 (U, n_brands), both on the log scale.
    purse: preferred place within a type's price range, log scale. habit: how much of a basket is bought again.
    lines: mean lines of a basket beyond the first.
    """

    ids: tuple[str, ...]
    place: Ints
    age: Ints
    age_known: npt.NDArray[np.bool_]
    rates: Rates
    liking: npt.NDArray[np.float32]
    brand_liking: npt.NDArray[np.float32]
    purse: npt.NDArray[np.float32]
    habit: Floats
    lines: Floats
    attributes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def told_age(self) -> Ints:
        """The age that the shop may count on: 0 where it was not told."""
        return np.asarray(np.where(self.age_known, self.age, 0), np.int64)

    @property
    def jurisdiction(self) -> list[str]:
        """Whose law protects each customer."""
        return [PLACES[place][0] for place in self.place]

    @property
    def country(self) -> list[str]:
        """Country of each customer."""
        return [PLACES[place][1] for place in self.place]


def make_people(n: int, catalogue: Catalogue, calendar: Calendar, rng: np.random.Generator) -> People:
    """n customers with their own tastes and rates."""
    rates = draw_rates(n, calendar, rng)
    # The ids follow the order of joining, as a shop's account numbers do; founders come first.
    order = np.argsort(rates.joined, kind="stable")
    rates = rates.take(order)
    place = rng.choice(len(PLACES), n, p=np.array([share for *_, share in PLACES]))
    age = _ages(n, rng)
    return People(
        ids=tuple(f"c{number:06d}" for number in range(100_001, 100_001 + n)),
        place=place,
        age=age,
        # A child is only known as one because somebody typed the age in.
        age_known=(rng.random(n) >= _UNKNOWN_AGE) | (age < 13),
        rates=rates,
        liking=_liking(n, catalogue, rng),
        brand_liking=rng.normal(0.0, 0.7, (n, len(catalogue.brands))).astype(np.float32),
        purse=rng.normal(0.0, 0.8, n).astype(np.float32),
        habit=rng.beta(2.2, 2.8, n),
        lines=np.clip(rng.lognormal(np.log(9.4), 0.65, n), 0.5, 70),
        attributes=_attributes(n, age, rng),
    )


def _ages(n: int, rng: np.random.Generator) -> Ints:
    age = np.clip(np.round(18 + rng.gamma(3.6, 8.2, n)), 18, 94).astype(np.int64)
    drawn = rng.random(n)
    age[drawn < _TEEN] = rng.integers(13, 18, n)[drawn < _TEEN]
    children = rng.permutation(n)[: max(2, round(_CHILD * n))]
    age[children] = rng.integers(8, 13, len(children))
    return age


def _liking(n: int, catalogue: Catalogue, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A few favourite categories each; neighbouring categories (same department) are liked together."""
    names = catalogue.categories
    departments = [name.rsplit(" > ", 1)[0] for name in names]
    same = np.array([[a == b for b in departments] for a in departments])
    liking = rng.normal(0.0, 0.5, (n, len(names)))
    for _ in range(_FAVOURITES):
        favourite = rng.integers(0, len(names), n)
        liking += 0.6 * same[favourite]
        liking[np.arange(n), favourite] += 1.5
    return liking.astype(np.float32)


def _attributes(n: int, age: Ints, rng: np.random.Generator) -> tuple[str, ...]:
    """Loyalty tier and newsletter of all; sex and ethnicity of those who answered a survey, for audits."""
    tier = rng.choice(["basic", "silver", "gold"], n, p=[0.7, 0.22, 0.08])
    newsletter = rng.random(n) < 0.4
    answered = rng.random(n) < 0.45
    sex = rng.choice(["female", "male", "not stated"], n, p=[0.57, 0.40, 0.03])
    ethnicity = rng.choice(["asian", "black", "mixed", "white", "other"], n, p=[0.11, 0.08, 0.05, 0.71, 0.05])
    texts = []
    for row in range(n):
        content: dict[str, object] = {"tier": str(tier[row]), "newsletter": bool(newsletter[row])}
        if answered[row] and age[row] >= 18:
            content |= {"sex": str(sex[row]), "ethnicity": str(ethnicity[row])}
        texts.append(json.dumps(content))
    return tuple(texts)
