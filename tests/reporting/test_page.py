from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from mercer.brief import Brief
from mercer.reporting import decide, write_page
from mercer.reporting.page import advice
from reporting.small_run import BRIEF, finding, read_json, write_json

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Tree(HTMLParser):
    """Checks that tags close in order, and collects ids, links and evidence."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.cited: list[tuple[str, str]] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(tag)
        if facts.get("id"):
            self.ids.append(str(facts["id"]))
        if tag == "a":
            self.links.append(str(facts.get("href")))
            if "data-evidence" in facts:
                self.cited.append((str(facts["data-evidence"]), str(facts["href"])))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def tree(page: str) -> Tree:
    parsed = Tree()
    parsed.feed(page)
    assert parsed.open == []
    return parsed


@pytest.fixture(scope="module")
def page(whole_run: Path) -> str:
    return write_page(whole_run).read_text("utf-8")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(style|svg).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL))


def test_the_decision_comes_first_and_every_part_follows(page: str) -> None:
    tree(page)
    order = [page.index(f'id="{name}"') for name in (
        "decision", "why", "worth", "risk", "rules", "people", "others", "data", "cost", "change", "evidence",
    )]  # fmt: skip
    assert order == sorted(order)
    assert "Put item-knn in place of most-popular for next-item." in page


def test_the_page_asks_nothing_of_a_network(page: str) -> None:
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert not re.search(r'(?:src|href)="(?!#)', without_names)
    assert not re.search(r"url\(|@import|<script|<link|https?://", without_names)


def test_every_figure_leads_to_its_evidence(page: str) -> None:
    parsed = tree(page)
    assert len(parsed.cited) > 40
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert {link for link in parsed.links if link.startswith("#")} <= {f"#{name}" for name in parsed.ids}
    assert not any(link for link in parsed.links if not link.startswith("#"))


def test_cited_places_exist_in_the_run(page: str, whole_run: Path) -> None:
    board, gates = read_json(whole_run / "leaderboard.json"), read_json(whole_run / "gates.json")
    lists = {"leaderboard.rows": board["rows"], "leaderboard.comparisons": board["comparisons"],
             "gates.findings": gates["findings"], "gates.upcoming": gates["upcoming"],
             "manifest.steps": read_json(whole_run / "manifest.json")["steps"]}  # fmt: skip
    checked = 0
    for name, _ in tree(page).cited:
        if match := re.fullmatch(r"([a-z.]+)\[(\d+)\]", name):
            assert int(match[2]) < len(lists[match[1]])
            checked += 1
        elif name.startswith(("scores/", "data/")):
            assert (whole_run / name).is_file()
            checked += 1
    assert checked > 30


def test_charts_are_images_with_a_name_and_their_numbers_beside_them(page: str) -> None:
    charts = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert len(charts) == 2 * page.count("<figure")
    assert page.count("<figure") == page.count("The numbers</summary>") == 7


def test_no_customer_is_named(page: str, whole_run: Path) -> None:
    users = set(pd.read_parquet(whole_run / "data" / "events.parquet")["user"])
    assert len(users) == 600
    assert not re.search(r"\bu\d{4}\b", page)
    assert "Customer A" in page
    assert "Customer J" in page
    assert "Customer K" not in page


def test_money_comes_from_predicted_spend_and_is_not_claimed_for_the_lists(page: str) -> None:
    said = text(page)
    assert "expects the 600 customers of the test to spend £" in said
    assert "No money is claimed for the change of lists itself" in said
    assert "A contact pays when it brings £1.67 of extra spend" in said


def test_without_costs_no_money_is_claimed(run: Path) -> None:
    brief = BRIEF.replace("value: {margin: 0.30, contact_cost: 0.50}\n", "")
    (run / "brief.yaml").write_text(Brief.parse(brief).dump(), "utf-8")
    page = write_page(run).read_text("utf-8")
    assert "No money is claimed: the brief states no margin and no cost" in page
    assert "A contact pays" not in page


def test_without_a_spend_target_no_money_is_claimed(run: Path) -> None:
    lines = [line for line in BRIEF.splitlines() if not line.startswith("  spend:")]
    (run / "brief.yaml").write_text(Brief.parse("\n".join(lines)).dump(), "utf-8")
    assert "a ranking metric can&#39;t be turned into money" in write_page(run).read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leaderboard.json", "can't say how good the models are"),
        ("gates.json", "The rules were not checked in this run"),
        ("manifest.json", "keeps no record of what its steps cost"),
        ("data/accounting.json", "keeps no accounting of its rows"),
        ("data/items.parquet", "Customer A"),
        ("data/events.parquet", "No history is at hand"),
    ],
)
def test_a_missing_part_is_stated(run: Path, name: str, said: str) -> None:
    (run / name).unlink()
    page = write_page(run).read_text("utf-8")
    tree(page)
    assert said in page


def test_a_run_that_only_cleaned_its_data_still_has_a_page(run: Path) -> None:
    import shutil

    for name in ("leaderboard.json", "gates.json"):
        (run / name).unlink()
    shutil.rmtree(run / "scores")
    page = write_page(run).read_text("utf-8")
    tree(page)
    assert "Need more data" in page
    assert "no scored rows" in page or "No two models" in page


def test_a_failed_rule_shows_rule_rows_and_remedy(run: Path) -> None:
    offending = [{"row": 17, "user": "p:3fa9c1d20b7e"}]
    gates = read_json(run / "gates.json")
    gates["findings"] = [finding("gdpr-consent", "train", "FAIL", measured="1 row", offending=offending)]
    write_json(run / "gates.json", gates)
    page = write_page(run).read_text("utf-8")
    assert "Do not ship" in page
    assert "p:3fa9c1d20b7e" in page
    assert "<dt>Remedy</dt><dd>Leave these rows out.</dd>" in page


def test_the_page_says_that_it_is_no_legal_advice(page: str) -> None:
    assert page.count("Nothing here is legal advice") >= 2


def test_markup_in_data_stays_text(run: Path) -> None:
    items = pd.read_parquet(run / "data" / "items.parquet")
    items["title"] = "<script>alert(1)</script>"
    items.to_parquet(run / "data" / "items.parquet")
    gates = read_json(run / "gates.json")
    gates["findings"][0]["title"] = '"><img src=x>'
    write_json(run / "gates.json", gates)
    accounting = read_json(run / "data" / "accounting.json")
    accounting["tables"]["events"]["rules"][0]["rule"] = "<script>a</script>"
    write_json(run / "data" / "accounting.json", accounting)
    page = write_page(run).read_text("utf-8")
    assert "<script" not in page
    assert "<img" not in page
    tree(page)


def test_the_same_run_gives_the_same_bytes(run: Path) -> None:
    first = write_page(run).read_bytes()
    assert write_page(run).read_bytes() == first
    assert not list(run.glob(".report*"))


def test_headings_go_down_one_level_at_a_time(page: str) -> None:
    levels = [int(name[1]) for name in tree(page).headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_advice_names_the_incumbent(run: Path) -> None:
    from dataclasses import replace

    found = decide(run)
    assert advice(replace(found, against="incumbent")).startswith("Put item-knn in place of the incumbent")
    assert "does not go live" in advice(replace(found, verdict="do-not-ship"))
    assert "for now" in advice(replace(found, verdict="need-more-data"))


def test_a_planted_fault_is_called_a_demonstration(run: Path) -> None:
    assert "A demonstration." not in write_page(run).read_text("utf-8")
    write_json(run / "manifest.json", {**read_json(run / "manifest.json"), "fault": "consent"})
    page = write_page(run).read_text("utf-8")
    assert "The fault “consent” was planted in this run on purpose" in page


def test_cases_are_counted_and_their_subjects_not_shown(run: Path) -> None:
    from datetime import UTC, datetime

    from mercer.compliance import CaseStore, NewCase

    (run / "state").mkdir()
    store = CaseStore(f"sqlite:///{run / 'state' / 'mercer.db'}")
    now = datetime(2026, 10, 1, tzinfo=UTC)
    opened = store.open(
        [
            NewCase(kind="alert", subject=f"subject-{n}", opened=now, rule="repurchase", occasion="day")
            for n in range(3)
        ]
    )
    store.close(opened[0], "dismissed", "growth", at=now)
    store.dispose()
    page = write_page(run).read_text("utf-8")
    assert "<td>alert</td>" in page
    assert '<td class="r">2</td><td class="r">1</td>' in page
    assert "subject-1" not in page
