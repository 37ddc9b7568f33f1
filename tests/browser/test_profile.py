"""The profile in a real browser: it fits a phone and a screen, in light and dark, and asks nothing of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from browser.test_pages import PHONE, WIDE, browser, overflow, page
from mercer.data.profile import profile_file

pytestmark = pytest.mark.browser
__all__ = ["browser", "page"]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a flat table with long names, many numbers and an outcome."""
    rng = np.random.default_rng(0)
    n = 2000
    frame = pd.DataFrame(
        {
            f"a_column_with_a_name_that_goes_on_and_on_{at}": rng.lognormal(at, 2, n).round(2) for at in range(6)
        }
    ).assign(
        when=pd.date_range("2020-01-01", periods=n, freq="12h").strftime("%Y-%m-%d %H:%M"),
        channel=rng.choice(["a label of a category that is longer than a phone is wide, by far", "web", "shop"], n),
        bought=rng.choice(["yes", "no"], n, p=[0.2, 0.8]),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("profile")
    frame.to_csv(folder / "a_file_whose_name_is_longer_than_a_phone_is_wide.csv", index=False)
    profile_file(folder / "a_file_whose_name_is_longer_than_a_phone_is_wide.csv", folder / "profile.html")
    return folder / "profile.html"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_profile_fits_the_window_and_its_words_stand_out(
    page: Any,
    profile: Path,
    size: dict[str, int],
    scheme: str,
) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.goto(profile.as_uri())
    assert overflow(page) == 0
    assert page.asked == [profile.as_uri()]
    assert page.errors == []
    for words in ("h1", ".finding", "td", "figure svg text"):
        assert contrast(page, words) > 4.5, words


def contrast(page: Any, words: str) -> float:
    """Contrast of the first such text with what lies behind it (WCAG 2.1)."""
    return float(
        page.evaluate(
            """words => {
  const shade = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const node = [...document.querySelectorAll(words)].find(n => n.getClientRects().length && n.textContent.trim());
  const style = getComputedStyle(node), ink = node instanceof SVGElement ? style.fill : style.color;
  let behind = node;
  while (behind && /rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor))
    behind = behind.parentElement;
  const a = shade(ink), b = shade(getComputedStyle(behind).backgroundColor);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}""",
            words,
        )
    )
