"""One chart to inline SVG, drawn by Altair and vl-convert without a network, in the colours and type of the page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from mercer.data.profile.section import Chart

INK, SOFT, GRID = "#1d2321", "#5c6662", "#e3e0d8"
MAIN, PALE = "#0b6e4f", "#b9c2bd"
HEAT = ("#f2f0e9", "#9cc7b3", "#0b6e4f", "#06382a")
FONT = "Helvetica Neue, Arial, Liberation Sans, sans-serif"

WIDE, HALF, SLIM = 1020, 480, 320
"""Pixels: across the page, half of it, a phone."""

SHORT = "datum.value === 0 ? '0' : format(datum.value, abs(datum.value) < 1 ? '~g' : '~s')"
PERCENT = "format(datum.value, '.0%')"

_CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT, "titleColor": SOFT, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID,
        "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 230,
        "titlePadding": 8,
    },
    "legend": {
        "labelColor": INK, "titleColor": SOFT, "titleFontWeight": "normal", "labelFontSize": 12, "orient": "top",
    },
}  # fmt: skip

Draw = Callable[[int], Any]
"""Width in pixels to an Altair chart."""


def chart(draw: Draw, title: str, *, label: str, caption: str = "", wide: int = WIDE) -> Chart:
    """Draw for wide pages and, where the chart spans the page, once more for phones; label: for screen readers."""
    drawn = _fitted(draw(wide), label)
    return Chart(
        title=title, wide=drawn, slim="" if wide < WIDE else _fitted(draw(SLIM), label), caption=caption
    )


def _fitted(drawn: Any, label: str) -> str:
    # The specs are made here: validating each again would take longer than drawing it.
    spec = cast("dict[str, Any]", drawn.to_dict(validate=False))
    if "vconcat" not in spec:
        spec["autosize"] = {"type": "fit", "contains": "padding"}
    return svg(spec, label, _CONFIG)


def svg(spec: dict[str, Any], label: str, config: Mapping[str, Any]) -> str:
    """A Vega-Lite chart as inline SVG: the same chart gives the same bytes, whatever was drawn before it.

    label: what a screen reader says of it. config: colours and type of the page.
    """
    import vl_convert

    spec = {**spec, "config": {**spec.get("config", {}), **config}}
    text = str(vl_convert.vegalite_to_svg(spec))
    # One image to a screen reader: its label says what the marks would only repeat.
    text = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", text)
    text = _own_ids(text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{_attribute(label)}" ', 1)


def _own_ids(text: str) -> str:
    """The SVG with ids of its own.

    The drawing engine numbers its clips on and on while the process lives: the same chart would get other bytes, and
    two charts of one page could share an id.
    """
    names = dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))
    plain = {name: f"part{number}" for number, name in enumerate(names)}
    for name, new in plain.items():
        text = text.replace(f'id="{name}"', f'id="{new}"').replace(f"url(#{name})", f"url(#{new})")
    mark = hashlib.sha256(text.encode()).hexdigest()[:10]
    for new in plain.values():
        text = text.replace(f'id="{new}"', f'id="{mark}-{new}"').replace(
            f"url(#{new})", f"url(#{mark}-{new})"
        )
    return text


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
