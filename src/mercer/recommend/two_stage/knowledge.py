"""Everything the two stages know of items, and how it is kept: named arrays out, the same arrays back in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Self, get_type_hints

import numpy as np
import numpy.typing as npt

from mercer.contracts import Ranker
from mercer.recommend.two_stage.catalogue import Catalogue
from mercer.recommend.two_stage.facts import Facts
from mercer.recommend.two_stage.titles import Titles

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of I items; what follows from it is worked out once, when it is put together.

    vectors: float32, shape (I, d): the titles' whole numbers, as float32 multiplies them.
    brand_count, leaf_count: weighted events of each brand and category path.
    selling: int64, shape (I,): items by popularity. rising: the same by sales of the middle window.
    log_price: float64, shape (I,), NaN where unknown.
    sequence: a sequence ranker that was fitted on no more than the facts were, where there is one; it is kept apart.
    """

    catalogue: Catalogue
    titles: Titles
    facts: Facts
    vectors: Floats32 = field(repr=False)
    brand_count: Floats
    leaf_count: Floats
    selling: Ints
    rising: Ints
    log_price: Floats
    sequence: Ranker | None = field(default=None, repr=False)

    @classmethod
    def of(cls, catalogue: Catalogue, titles: Titles, facts: Facts, vectors: Floats32 | None = None) -> Self:
        """Put the three together. vectors: those of the same titles, worked out before."""
        count = facts.count.astype(np.float64)
        return cls(
            catalogue=catalogue,
            titles=titles,
            facts=facts,
            vectors=titles.vectors.astype(np.float32) if vectors is None else vectors,
            brand_count=_sums(catalogue.brand, count),
            leaf_count=_sums(catalogue.leaf, count),
            selling=np.argsort(-count, kind="stable"),
            rising=np.argsort(-facts.lately[:, 1], kind="stable"),
            log_price=np.log(facts.price.astype(np.float64)),
        )

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.catalogue.brand)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All of it by name."""
        return {
            **_flat("catalogue", self.catalogue),
            **_flat("titles", self.titles),
            **_flat("facts", self.facts),
        }

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """Put together what `arrays` gave. Raises KeyError when one is missing."""
        return cls.of(
            _whole(Catalogue, "catalogue", arrays),
            _whole(Titles, "titles", arrays),
            _whole(Facts, "facts", arrays),
        )


def _sums(group: npt.NDArray[np.int32], count: Floats) -> Floats:
    inside = group >= 0
    return np.asarray(np.bincount(group[inside], count[inside], minlength=1), np.float64)


def _flat(prefix: str, thing: Any) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    for spec in fields(thing):
        value = getattr(thing, spec.name)
        name = f"{prefix}.{spec.name}"
        if is_dataclass(value):
            found |= _flat(name, value)
        else:
            found[name] = np.asarray(value)
    return found


def _whole(kind: type[Any], prefix: str, arrays: Arrays) -> Any:
    hints = get_type_hints(kind)
    parts: dict[str, Any] = {}
    for spec in fields(kind):
        name = f"{prefix}.{spec.name}"
        if is_dataclass(hints[spec.name]):
            parts[spec.name] = _whole(hints[spec.name], name, arrays)
        else:
            parts[spec.name] = int(arrays[name].item()) if hints[spec.name] is int else arrays[name]
    return kind(**parts)
