"""Reading times: ISO 8601, dates by day, month and year in either order, English months, and epochs.

A column decides as a whole whether 03/04/2011 is in March or in April: one value such as 12/31/2010 tells, unless the
brief says it. Where neither does, nothing is read and the error says so. Local times become UTC by the pieces of their
zone (zones.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.data.zones import find_zone, pieces
from mercer.errors import DataError

Bools = npt.NDArray[np.bool_]
Micros = npt.NDArray[np.int64]

_TAIL = (
    r"(?:(?:T|,?\s+)(?P<h>[0-9]{1,2}):(?P<n>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?\s*(?P<p>[AaPp][Mm])?)?"
    r"\s*(?P<z>[zZ]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_FORMS = {
    "iso": re.compile(r"(?P<y>[0-9]{4})[-/.](?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})" + _TAIL),
    "compact": re.compile(r"(?P<y>(?:19|20)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})" + _TAIL),
    "either": re.compile(r"(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<y>[0-9]{4})" + _TAIL),
    "named": re.compile(
        r"(?:[A-Za-z]{3,9},?\s+)?(?P<d>[0-9]{1,2})[\s-](?P<w>[A-Za-z]{3,9})\.?,?[\s-](?P<y>[0-9]{4})" + _TAIL
    ),
    "months": re.compile(r"(?P<w>[A-Za-z]{3,9})\.?\s(?P<d>[0-9]{1,2}),?\s(?P<y>[0-9]{4})" + _TAIL),
}
_USUAL = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_ZONED = r":[0-9.]+(?:Z|[+-][0-9]{2}:[0-9]{2})$"
_EPOCH = re.compile(r"[0-9]{9,19}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UNITS = ((1e8, 1e11, 1e6), (1e11, 1e14, 1e3), (1e14, 1e17, 1.0), (1e17, 1e20, 1e-3))
"""(from, below, microseconds in one): seconds, milliseconds, microseconds, nanoseconds since 1970, from 1973 on."""

_NONE = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class _Order:
    """Whether the day comes first in dates such as 03/04/2011 of the column `name`."""

    name: str
    day_first: bool | None
    notes: list[str]

    def decide(self, dates: list[dict[str, str | None]], n: int) -> None:
        """Say of each date which part is the day and which the month (0: neither is known).

        n: values of the column. Raises DataError where most of them could be read both ways.
        """
        pairs = [(int(parts["a"] or 0), int(parts["b"] or 0), parts) for parts in dates]
        possible = [(a, b) for a, b, _ in pairs if min(a, b) <= 12 and max(a, b) <= 31]
        day_shows, month_shows = sum(a > 12 for a, _ in possible), sum(b > 12 for _, b in possible)
        differ = sum(a != b for a, b in possible)
        first = self.day_first
        if first is None and (day_shows > 0) != (month_shows > 0):
            first = day_shows > 0
            if differ > day_shows + month_shows:
                self._tell(first, day_shows + month_shows, len(pairs))
        if first is None and differ:
            self._refuse(differ, len(pairs) * 2 > n, contradict=day_shows > 0)
        for a, b, parts in pairs:
            parts["d"], parts["m"] = (str(b), str(a)) if first is False else (str(a), str(b))
            if first is None and a != b:
                parts["m"] = "0"

    def _tell(self, first: bool, shows: int, n: int) -> None:
        part = "day" if first else "month"
        self.notes.append(
            f"dates of {self.name!r} such as 03/04 are read with the {part} first, as {shows:,} of its {n:,} "
            "different ones show"
        )

    def _refuse(self, differ: int, most: bool, *, contradict: bool) -> None:
        what = (
            "some dates begin with the day, others with the month"
            if contradict
            else "day and month can't be told apart"
        )
        if most:
            raise DataError(
                f"Column {self.name!r}: {what}.",
                remedy="Say `day_first: true` or `false` in the brief, or write its times as YYYY-MM-DD HH:MM:SS.",
            )
        self.notes.append(
            f"dates of {self.name!r}: {what}, so {differ:,} different ones are unreadable, unless the brief says "
            "`day_first`"
        )


def to_time(
    column: pd.Series[Any],
    zone: str | None,
    name: str,
    *,
    day_first: bool | None = None,
    notes: list[str] | None = None,
) -> tuple[pd.Series[Any], Bools]:
    """datetime64[us] in UTC without zone, and which present values were no time.

    zone: where the column carries none ("UTC", "Europe/London"). A local time that a change of clocks makes twice is
    the first of the two, one it skips is read with the offset before the change (both as PEP 495's fold 0).
    Epochs are read by their size: seconds, milli-, micro- or nanoseconds since 1970. What is finer than a microsecond
    is cut off.
    day_first: whether 03/04/2011 is in April; left out, the column tells, and `notes` gets a sentence on that.
    Raises DataError when the column carries no zone and none is given, and when days and months can't be told apart;
    BriefError for a zone that is not known.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return _clocked(column, zone, name), np.zeros(len(column), bool)
    said = _plain(column)
    codes, distinct = pd.factorize(said)
    order = _Order(name, day_first, notes if notes is not None else [])
    micros, naive = _read([str(one) for one in distinct], order)
    if naive.any():
        micros[naive] = _to_utc(micros[naive], zone, name)
    value = np.append(micros, _NONE)[codes].astype("datetime64[us]")
    time = pd.Series(value, index=column.index)
    return time, (said.notna() & time.isna()).to_numpy(bool)


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Trimmed text, null where empty; whole numbers without a decimal point."""
    if pd.api.types.is_float_dtype(column):
        column = column.round().astype("Int64")
    text: pd.Series[Any] = column.astype("string").str.strip()
    text[text == ""] = pd.NA
    return text


def _clocked(column: pd.Series[Any], zone: str | None, name: str) -> pd.Series[Any]:
    if getattr(column.dt, "tz", None) is not None:
        utc: pd.Series[Any] = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return utc.astype("datetime64[us]")
    local = column.astype("datetime64[us]")
    micros = local.to_numpy().astype(np.int64)
    known = local.notna().to_numpy(bool)
    micros[known] = _to_utc(micros[known], zone, name)
    return pd.Series(micros.astype("datetime64[us]"), index=column.index)


def _to_utc(local: Micros, zone: str | None, name: str) -> Micros:
    """Local microseconds to UTC microseconds."""
    if zone is None:
        raise DataError(
            f"Column {name!r}: its times carry no zone.",
            remedy="Give `timezone` in the brief, such as Europe/London or UTC.",
        )
    if not len(local):
        return local
    parts = pieces(find_zone(zone, "timezone"), int(local.min()), int(local.max()))
    starts = np.array([part.start for part in parts[1:]], np.int64)
    offsets = np.array([part.offset for part in parts], np.int64)
    return local - offsets[np.searchsorted(starts, local, side="right")]


def _read(texts: list[str], order: _Order) -> tuple[Micros, Bools]:
    """Microseconds of each text (the least integer where it is no time), and which of them are local times."""
    micros, naive, rest = _iso(texts)
    forms: dict[str, list[tuple[int, dict[str, str | None]]]] = {form: [] for form in _FORMS}
    epochs = []
    for at in rest:
        text = texts[at]
        found = next(
            ((form, hit) for form, pattern in _FORMS.items() if (hit := pattern.fullmatch(text))), None
        )
        if found is not None:
            forms[found[0]].append((at, found[1].groupdict()))
        elif _EPOCH.fullmatch(text):
            epochs.append(at)
    order.decide([parts for _, parts in forms["either"]], len(texts))
    for form in forms.values():
        for at, parts in form:
            moment = _moment(parts)
            if moment is not None:
                micros[at] = moment
                naive[at] = parts["z"] is None
    for at in epochs:
        number = float(texts[at])
        scale = next((scale for low, high, scale in _UNITS if low <= number < high), None)
        if scale is not None:
            micros[at] = int(texts[at]) * int(scale) if scale >= 1 else int(texts[at]) // 1000
    return micros, naive


def _iso(texts: list[str]) -> tuple[Micros, Bools, list[int]]:
    """What the usual form of ISO 8601 says, read all at once; and the numbers of the texts in other forms."""
    column = pd.Series(texts, dtype="string")
    usual = column.str.fullmatch(_USUAL).to_numpy(bool)
    zoned = usual & column.str.contains(_ZONED).to_numpy(bool)
    micros = np.full(len(texts), _NONE, np.int64)
    for these in (usual & ~zoned, zoned):
        if these.any():
            moment = pd.to_datetime(column[these], format="ISO8601", errors="coerce", utc=True)
            micros[these] = moment.dt.tz_localize(None).astype("datetime64[us]").to_numpy().astype(np.int64)
    naive = usual & ~zoned & (micros != _NONE)
    return micros, naive, np.flatnonzero(~usual).tolist()


def _moment(parts: dict[str, str | None]) -> int | None:
    """Microseconds since 1970; in UTC where there is a zone, else local. None where there is no such time."""
    month = parts.get("m")
    if month is None:
        word = (parts.get("w") or "")[:3].lower()
        if word not in _MONTHS:
            return None
        month = str(_MONTHS.index(word) + 1)
    hour, minute, second = int(parts["h"] or 0), int(parts["n"] or 0), int(parts["s"] or 0)
    half = (parts["p"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half == "pm")
    if hour > 23 or minute > 59 or second > 59 or int(parts["y"] or 0) < 1:
        return None
    try:
        day = np.datetime64(f"{parts['y']}-{int(month):02d}-{int(parts['d'] or 0):02d}", "D")
    except ValueError:
        return None
    fraction = int((parts["f"] or "0").ljust(6, "0")[:6])
    seconds = int(day.astype(np.int64)) * 86_400 + hour * 3_600 + minute * 60 + second - _offset(parts["z"])
    return seconds * 1_000_000 + fraction


def _offset(zone: str | None) -> int:
    """Seconds east of UTC."""
    if zone is None or zone in ("z", "Z", "UTC", "GMT"):
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3_600 + int(digits[2:] or 0) * 60
    return -seconds if zone[0] == "-" else seconds
