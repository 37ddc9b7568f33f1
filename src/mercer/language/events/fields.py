"""The fields of an event, one small class each: how a value becomes a number below a fixed size.

A field is fitted on training data alone, described by JSON, and never sees what it has not been given: an unknown kind,
an amount outside all bins and a new merchant have a number, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from mercer.errors import DamagedError
from mercer.language.events.columns import Columns

Codes = npt.NDArray[np.int32]

_MINUTE_US = 60_000_000
_DAY_US = 86_400_000_000


class Field(Protocol):
    """One field. slots: (name, size) of each of its tokens. before: whether it is known when an answer is asked for."""

    kind_of_field: ClassVar[str]
    before: ClassVar[bool]

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """Name and size of each token."""
        ...

    def codes(self, events: Columns) -> Codes:
        """int32, shape (n, tokens), each from 0 to its size - 1."""
        ...

    def to_json(self) -> dict[str, Any]:
        """All that decides the codes."""
        ...


@dataclass(frozen=True, slots=True)
class KindField:
    """What was done: view, cart, purchase, ...; 0 is any kind that was not there in training."""

    kinds: tuple[str, ...]
    kind_of_field: ClassVar[str] = "kind"
    before: ClassVar[bool] = True

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """One token."""
        return (("kind", len(self.kinds) + 1),)

    def codes(self, events: Columns) -> Codes:
        """See `Field`."""
        place = {name: code for code, name in enumerate(self.kinds, start=1)}
        table = np.array([place.get(name, 0) for name in events.kinds] or [0], np.int32)
        return table[events.kind][:, None]

    def to_json(self) -> dict[str, Any]:
        """See `Field`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class GapField:
    """Time since the event before: 0 for a first event, 1 below a minute, then one more with every doubling."""

    bins: int
    kind_of_field: ClassVar[str] = "gap"
    before: ClassVar[bool] = True

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """One token."""
        return (("gap", self.bins + 1),)

    def codes(self, events: Columns) -> Codes:
        """See `Field`."""
        edges = 2 ** np.arange(self.bins - 1, dtype=np.int64)
        size = 1 + np.searchsorted(edges, events.since // _MINUTE_US, side="right")
        return np.where(events.since < 0, 0, size).astype(np.int32)[:, None]

    def to_json(self) -> dict[str, Any]:
        """See `Field`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CalendarField:
    """Month and weekday, in UTC."""

    kind_of_field: ClassVar[str] = "calendar"
    before: ClassVar[bool] = True

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """Two tokens."""
        return (("month", 12), ("weekday", 7))

    def codes(self, events: Columns) -> Codes:
        """See `Field`. Monday is 0."""
        months = events.time.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
        weekdays = (events.time // _DAY_US + 3) % 7
        return np.stack([months, weekdays], 1).astype(np.int32)

    def to_json(self) -> dict[str, Any]:
        """See `Field`."""
        return {}


@dataclass(frozen=True, slots=True)
class AmountField:
    """Money by its logarithm: 0 where it is unknown, then its sizes, then the sizes of what was paid back.

    edges: minor units, rising; fitted to the middle 98 % of the amounts of training, equal steps of the logarithm.
    """

    edges: tuple[float, ...]
    kind_of_field: ClassVar[str] = "amount"
    before: ClassVar[bool] = False

    @classmethod
    def fitted(cls, amounts: npt.NDArray[np.int64], bins: int) -> Self:
        """`bins` sizes for the amounts of training; one where they are all unknown or equal."""
        size = np.abs(amounts[amounts != 0]).astype(np.float64)
        if not len(size):
            return cls(())
        low, high = np.quantile(size, [0.01, 0.99])
        return cls(tuple(np.unique(np.geomspace(low, high, bins + 1)[1:-1].round(6)).tolist()))

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """One token."""
        return (("amount", 2 * (len(self.edges) + 1) + 1),)

    def codes(self, events: Columns) -> Codes:
        """See `Field`."""
        bins = len(self.edges) + 1
        size = 1 + np.searchsorted(np.array(self.edges), np.abs(events.amount), side="right")
        signed = np.where(events.amount < 0, size + bins, size)
        return np.where(events.amount == 0, 0, signed).astype(np.int32)[:, None]

    def to_json(self) -> dict[str, Any]:
        """See `Field`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class HashedField:
    """A column with any number of values, hashed into buckets; 0 is an empty or missing value.

    of_items: whether the column is one of the catalogue; then `EventTokenizer` holds its codes by item.
    values: different ones in training. collisions: share of them that lie in a bucket with another.
    """

    column: str
    buckets: int
    of_items: bool
    values: int
    collisions: float
    kind_of_field: ClassVar[str] = "hashed"
    before: ClassVar[bool] = False

    @classmethod
    def fitted(cls, column: str, values: Iterable[Any], buckets: int, *, of_items: bool) -> Self:
        """The field, with its collisions counted on the values of training."""
        told = sorted({text for value in values if (text := written(value))})
        count = np.bincount([bucket(text, buckets) for text in told], minlength=buckets + 1)
        shared = int(count[count > 1].sum())
        return cls(column, buckets, of_items, len(told), shared / len(told) if told else 0.0)

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """One token."""
        return ((self.column, self.buckets + 1),)

    def hashed(self, values: Iterable[Any]) -> Codes:
        """Buckets of some values, int32, shape (n,)."""
        known: dict[str, int] = {"": 0}
        codes = []
        for value in values:
            text = written(value)
            if text not in known:
                known[text] = bucket(text, self.buckets)
            codes.append(known[text])
        return np.array(codes, np.int32)

    def codes(self, events: Columns) -> Codes:
        """See `Field`; a log without the column has 0 everywhere. For columns of items see `EventTokenizer`."""
        column = events.extras.get(self.column)
        if column is None:
            return np.zeros((len(events), 1), np.int32)
        place, values = distinct(column)
        return self.hashed(values)[place].reshape(-1, 1)

    def to_json(self) -> dict[str, Any]:
        """See `Field`."""
        return asdict(self)

    def said(self) -> str:
        """A sentence on the collisions."""
        return (
            f"{self.column}: {self.values:,} values in {self.buckets:,} buckets; {self.collisions:.1%} of the values "
            "share their bucket with another."
        )


def distinct(column: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """For each value its place among the different ones, and these; missing values and mixed types are legal."""
    import pandas as pd

    place, values = pd.factorize(np.asarray(column), use_na_sentinel=False)
    return place.astype(np.int64), list(values)


def written(value: Any) -> str:
    """A value as the text that is hashed; empty where it is missing."""
    return "" if value is None or value != value else str(value)


def bucket(text: str, buckets: int) -> int:
    """The bucket of a text, 1 to `buckets`; the same on every machine."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return 1 + int.from_bytes(digest, "little") % buckets


_CLASSES: tuple[type[Any], ...] = (KindField, GapField, CalendarField, AmountField, HashedField)
_BY_NAME: Mapping[str, type[Any]] = {one.kind_of_field: one for one in _CLASSES}


def described(field: Field) -> dict[str, Any]:
    """A field as JSON holds it."""
    return {"field": field.kind_of_field, **field.to_json()}


def restored(told: Mapping[str, Any]) -> Field:
    """The field of a description. Raises DamagedError where it is none."""
    try:
        given = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items() if name != "field"}
        field: Field = _BY_NAME[told["field"]](**given)
    except (KeyError, TypeError) as fault:
        raise DamagedError("The description of a field is not what this mercer writes.") from fault
    return field
