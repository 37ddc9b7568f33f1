"""How the page says numbers, names and money."""

from __future__ import annotations

from mercer.evaluation import Row
from mercer.evaluation.leaderboard import number

_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}


def money(minor: float, currency: str) -> str:
    """`£12,300` from 1,230,000 pence; with decimals under 100 units of the currency."""
    major = minor / 100
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    body = f"{abs(major):,.2f}" if abs(major) < 100 else f"{abs(major):,.0f}"
    return f"{'−' if major < 0 else ''}{sign}{body}"


def signed(value: float) -> str:
    """`+0.0081`, `−0.0091`, `+1,240`: with its sign, and the digits it needs."""
    return ("−" if value < 0 else "+") + number(abs(value))


def signed_share(value: float) -> str:
    """`+6.5 %`, `−12 %`, `+107 %`."""
    digits = 1 if abs(value) < 0.1 else 0
    return f"{'−' if value < 0 else '+'}{abs(value) * 100:.{digits}f} %"


def seconds(value: float) -> str:
    """`0.4 s`, `38 s`, `12 min`, `3.1 h`."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def memory(mib: float) -> str:
    """`350 MiB`, `1.9 GiB`."""
    return f"{mib:,.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def spread(row: Row) -> str:
    """`[0.051, 0.055]`, or that there is no interval."""
    if row.low is None or row.high is None:
        return "no interval"
    return f"[{number(row.low)}, {number(row.high)}]"


def slice_label(name: str) -> str:
    """`history=new` as a person reads it."""
    key, _, value = name.partition("=")
    place = "other countries" if value == "other" else value
    known = {
        "history": f"{value} customers",
        "items": f"{value} items",
        "query": f"queries of {value}",
        "country": place,
        "all": "everybody",
    }
    return known.get(key, f"{key}: {value}")
