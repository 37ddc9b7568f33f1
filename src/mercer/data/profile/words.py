"""How the profile says numbers, shares, money and days."""

from __future__ import annotations

from datetime import UTC, datetime

_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}

DAY_US = 86_400_000_000


def count(n: float) -> str:
    """`541,909`."""
    return f"{n:,.0f}"


def plural(n: int, one: str, many: str = "") -> str:
    """`1 order`, `3,401 orders`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def share(part: float, whole: float = 1.0) -> str:
    """`26 %`, `4.2 %`, `0.03 %`, `99.8 %`: never `0 %` for something nor `100 %` for less than everything."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.005:
        return "under 0.01 %"
    if percent < 0.1:
        return f"{percent:.2f} %"
    if 99.5 <= percent < 100:
        return f"{min(percent, 99.9):.1f} %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"


def money(minor: float, currency: str, decimals: int = 2) -> str:
    """`£12,300` from 1,230,000 pence; with decimals under 100 units of the currency."""
    major = minor / 10**decimals
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    body = f"{abs(major):,.{decimals}f}" if abs(major) < 100 else f"{abs(major):,.0f}"
    return f"{'−' if major < 0 else ''}{sign}{body}"


def measure(value: float) -> str:
    """A quantity with the digits it needs: `0.0123`, `4.25`, `541,909`."""
    size = abs(value)
    body = f"{size:,.0f}" if size >= 1000 or size == int(size) else f"{size:.3g}"
    return f"−{body}" if value < 0 else body


def day(time_us: int) -> str:
    """`1 December 2010`, of microseconds since 1970 in UTC."""
    at = datetime.fromtimestamp(time_us // 1_000_000, tz=UTC)
    return f"{at.day} {at:%B %Y}"


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
