"""The search page in a real browser: what is understood is seen and taken back, with mouse and with keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from release.wording_shop import WordingShop, make_wording_shop
from serving.wording import Held, Server, served, with_maker

from browser.test_pages import PHONE, WIDE, browser, overflow, page
from browser.test_profile import contrast

pytestmark = pytest.mark.browser
__all__ = ["browser", "page"]

ASKED = "ashdown red jacket between 30 and 36 euros for a boy of eight"


@pytest.fixture(scope="module")
def wording(tmp_path_factory: pytest.TempPathFactory) -> WordingShop:
    return make_wording_shop(tmp_path_factory.mktemp("wording"))


@pytest.fixture(scope="module")
def server(wording: WordingShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(wording.release, tmp_path_factory.mktemp("served"), understand_deadline_ms=20_000) as made:
        yield made


def opened(page: Any, server: Server) -> None:
    """The page with the key given, as the console's link gives it."""
    key = server.client.headers["Authorization"].removeprefix("Bearer ")
    page.goto(f"{server.client.base_url}/search#key={key}")
    page.locator("#query").wait_for()


def searched(page: Any, query: str) -> None:
    """Type a query and press Enter; wait for its answer."""
    page.locator("#query").fill(query)
    with page.expect_response("**/v1/search"):
        page.keyboard.press("Enter")
    page.locator("#answer h2").wait_for()


def chips(page: Any) -> list[str]:
    return [text.removesuffix("×").strip() for text in page.locator("#understood .chip").all_inner_texts()]


def test_filters_are_shown_and_each_is_taken_back_by_a_click(page: Any, server: Server) -> None:
    opened(page, server)
    searched(page, ASKED)
    assert page.locator("#searched").inner_text() == "Searched for: ashdown red jacket"
    assert chips(page) == [
        "category: Clothing > Jackets",
        "brand: Ashdown",
        "price: €30.00 to €36.00",
        "colour: Red",
        "for age 8",
    ]
    rest = page.locator("#rest")
    assert rest.inner_text() == "These do not meet all filters"
    page.get_by_role("button", name="Take back price: €30.00 to €36.00").click()
    page.get_by_role("button", name="Use all filters again").wait_for()
    assert not any(text.startswith("price") for text in chips(page))
    assert page.locator("#answer ol").first.locator("li").count() == 3
    page.get_by_role("button", name="Use all filters again").click()
    page.get_by_role("button", name="Take back price: €30.00 to €36.00").wait_for()
    assert page.locator("#answer ol").first.locator("li").count() == 2
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith(str(server.client.base_url))] == []


def test_all_of_it_works_with_keys_alone(page: Any, server: Server) -> None:
    opened(page, server)
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("red mug under 9 euros")
    page.keyboard.press("Enter")
    page.locator("#understood .chip").first.wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if "price" in (page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
            break
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Use all filters again").wait_for()
    assert page.evaluate("document.activeElement.id") == "searched"
    assert chips(page) == ["category: Kitchen > Mugs", "colour: Red", "Use all filters again"]


def test_the_switch_searches_plainly(page: Any, server: Server) -> None:
    opened(page, server)
    searched(page, "red mug under 9 euros")
    with page.expect_response("**/v1/search"):
        page.get_by_role("switch").check()
    page.get_by_text("Searched for: red mug under 9 euros").wait_for()
    assert chips(page) == []
    page.locator("#target").select_option("words")
    assert page.get_by_role("switch").count() == 0
    searched(page, "red mug")
    assert page.locator("#understood").count() == 0
    assert page.locator("#answer li").count() > 0


def test_a_question_of_service_is_told_so(page: Any, server: Server) -> None:
    opened(page, server)
    searched(page, "where is my order")
    assert "question of service" in page.locator("#understood .note").inner_text()


def test_text_of_a_query_is_never_markup(page: Any, server: Server) -> None:
    opened(page, server)
    searched(page, "<img src=x onerror=alert(1)> mug")
    assert page.locator("#answer img").count() == 0
    assert page.errors == []


def test_a_late_answer_says_so(page: Any, wording: WordingShop, tmp_path: Path) -> None:
    held = Held(wording.release.reader("find").maker)
    with served(with_maker(wording.release, held), tmp_path, understand_deadline_ms=30) as slow:
        opened(page, slow)
        searched(page, ASKED)
        assert "longer than 30 ms: the plain query was used" in page.locator("#answer .note").inner_text()
        assert chips(page) == []
        held.go.set()


def test_a_wrong_key_is_told_and_the_console_leads_here(page: Any, server: Server) -> None:
    page.goto(f"{server.client.base_url}/search")
    page.locator("#key").fill("mercer_wrong")
    page.get_by_role("button", name="Open").click()
    page.get_by_role("alert").wait_for()
    assert page.locator("#inside").is_hidden()
    opened(page, server)
    page.get_by_role("link", name="Console").click()
    page.get_by_role("link", name="Search", exact=True).click()
    page.locator("#query").wait_for()
    assert page.errors == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_its_words_stand_out(
    page: Any, server: Server, size: dict[str, int], scheme: str
) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    opened(page, server)
    searched(page, ASKED)
    assert overflow(page) == 0
    for words in ("h1", "#searched", "#understood .chip", "#answer li", "#rest", "#switch label"):
        assert contrast(page, words) > 4.5, words
