"""The decision page, the console and the API reference in a real browser: they show what they should, need no
network, and fit a phone. Run by `make check-all`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from release.small_shop import CUT, DAY, make_shop
from reporting.small_run import make_run
from serving.live import live

from mercer.compliance import CaseStore
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.state import SCOPES

pytestmark = pytest.mark.browser
api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install 'mercer[browser]'"
)

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    place = shutil.which("chromium") or shutil.which("google-chrome")
    if place is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=place, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that records every request and every error of its script."""
    opened = browser.new_page(viewport=WIDE)
    opened.asked, opened.errors = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mercer.reporting import write_page

    return write_page(make_run(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and key of a live server."""
    folder = tmp_path_factory.mktemp("served")
    release = make_shop(folder / "models").build(folder / "release")
    state = OnlineState(f"sqlite:///{folder}/state/mercer.db")
    key = state.keys.create("browser", SCOPES, time=CUT + 30 * DAY)
    cases = CaseStore(f"sqlite:///{folder}/state/mercer.db")
    settings = Settings(release=release, state=state, cases=cases, clock=lambda: CUT + 30 * DAY)
    with live(build_app(settings)) as address:
        yield address, key
    state.close()


def overflow(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_decision_comes_first_and_asks_nothing_of_a_network(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    headline = page.locator("h1").first.bounding_box()
    assert headline is not None
    assert headline["y"] < WIDE["height"] / 2
    assert page.locator("svg").count() >= 3
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert page.errors == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_decision_page_fits_its_window(page: Any, report: Path, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    page.goto(report.as_uri())
    assert overflow(page) == 0


def test_every_reference_of_the_decision_page_leads_somewhere(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    broken = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => id && !document.getElementById(id))"
    )
    assert broken == []
    assert page.locator("a[href^='#']").count() > 10


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_pages_of_the_server_work_without_the_internet(
    page: Any, served: tuple[str, str], path: str, size: dict[str, int]
) -> None:
    address, key = served
    page.set_viewport_size(size)
    page.goto(f"{address}{path}#key={key}")
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").count() >= 1
    assert [url for url in page.asked if not url.startswith((address, "data:"))] == []
    assert page.errors == []
    assert overflow(page) == 0


def test_the_console_answers(page: Any, served: tuple[str, str]) -> None:
    address, key = served
    page.goto(f"{address}/#key={key}")
    page.wait_for_load_state("networkidle")
    page.locator("#form button.go").click()
    page.wait_for_load_state("networkidle")
    assert any("/v1/" in url for url in page.asked)
    assert page.errors == []
