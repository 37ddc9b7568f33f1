from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import BehaviorTarget, Brief, RecommendTarget, SearchTarget
from mercer.errors import BriefError

BRIEFS = sorted((Path(__file__).resolve().parent.parent / "briefs").glob("*.yaml"))

SMALL = """
schema: 1
name: small-shop
question: What next?
decision: {date: 2026-10-01, target: next}
data:
  events: {source: events.csv, map: {user: customer}}
packs_date: 2026-11-24
targets:
  next: {task: recommend}
  find: {task: search}
  spend: {task: behavior, kind: amount, of: purchase}
"""


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


def test_briefs_of_the_project_load() -> None:
    assert BRIEFS
    for path in BRIEFS:
        brief = Brief.load(path)
        assert Brief.parse(brief.dump()) == brief


def test_defaults_become_visible() -> None:
    brief = Brief.parse(SMALL)
    assert brief.decision.day == date(2026, 10, 1)
    assert brief.decision.metric == "ndcg@10"
    assert isinstance(brief.targets["next"], RecommendTarget)
    assert isinstance(brief.targets["find"], SearchTarget)
    assert brief.targets["find"].split.kind == "folds"
    spend = brief.targets["spend"]
    assert isinstance(spend, BehaviorTarget)
    assert (spend.event, spend.net, spend.horizon_days) == ("purchase", True, 90)
    dumped = yaml.safe_load(brief.dump())
    assert dumped["decision"]["against"] == "most-popular"
    assert dumped["tuning"] == {"trials": 20, "seconds": 600.0}


def test_the_hash_ignores_layout_and_sees_content() -> None:
    brief = Brief.parse(SMALL)
    assert Brief.parse("# a comment\n" + brief.dump()).hash == brief.hash
    assert Brief.parse(changed("What next?", "What then?")).hash != brief.hash


def test_only_tables_with_a_source_are_sources() -> None:
    assert list(Brief.parse(SMALL).data.sources) == ["events"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("question:", "qestion:", "unknown key 'qestion'. Did you mean 'question'?"),
        ("question: What next?\n", "", "question is missing"),
        ("{date: 2026-10-01,", "{dat: 2026-10-01,", "unknown key 'decision.dat'. Did you mean 'date'?"),
        ("events: {source", "events: {sauce", "unknown key 'data.events.sauce'. Did you mean 'source'?"),
        ("  events: {", "  evnts: {", "unknown key 'data.evnts'. Did you mean 'events'?"),
        (
            "{task: recommend}",
            "{task: recommend, repets: true}",
            "unknown key 'targets.next.repets'. Did you mean 'repeats'?",
        ),
        (
            "{task: recommend}",
            "{task: recommend, split: {test_form: 2026-01-01}}",
            "unknown key 'targets.next.split.test_form'. Did you mean 'test_from'?",
        ),
        (
            "{task: recommend}",
            "{task: recommend, zzzz: 3}",
            "unknown key 'targets.next.zzzz'. Valid names:",
        ),
        ("{task: recommend}", "{task: recomend}", "targets.next: input tag 'recomend'"),
        (
            "{task: recommend}",
            "{task: recommend, repeats: perhaps}",
            "targets.next.repeats: input should be a valid",
        ),
        ("target: next}", "target: nxt}", "decision.target 'nxt' is no target. Did you mean 'next'?"),
        ("schema: 1", "schema: 2", "schema 2 is not known; this mercer reads schema 1"),
        ("name: small-shop", "name: Small Shop", "name: string should match pattern"),
        ("  events: {source: events.csv, map: {user: customer}}", "  rules_off: []", "data names no source"),
        ("2026-10-01", "2026-13-45", "month must be in 1..12. Write dates as YYYY-MM-DD."),
        ("question: What next?", "question: [", "line 6 is not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_legal(old: str, new: str, says: str) -> None:
    with pytest.raises(BriefError) as caught:
        Brief.parse(changed(old, new), name="my.yaml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("my.yaml:")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_brief_is_a_mapping(text: str) -> None:
    with pytest.raises(BriefError, match="a brief is a YAML mapping"):
        Brief.parse(text)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match=r"absent\.yaml: no such file\. Make one with: mercer init"):
        Brief.load(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BriefError, match=r"binary\.yaml: can't be read as UTF-8"):
        Brief.load(tmp_path / "binary.yaml")
    with pytest.raises(BriefError, match="can't be read"):
        Brief.load(tmp_path)


def test_a_brief_read_back_says_the_same_to_the_letter() -> None:
    brief = Brief.parse(SMALL)
    again = Brief.parse(brief.dump())
    assert repr(again) == repr(brief), "3600 and 3600.0 are equal, but steps would be done anew"


def test_a_brief_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Brief.parse(SMALL).name = "other"  # type: ignore[misc]


@given(st.text(max_size=60))
def test_any_text_is_a_brief_or_a_brief_error(text: str) -> None:
    try:
        Brief.parse(text)
    except BriefError:
        return
    pytest.fail("a brief of sixty characters can't be whole")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:hunter2@db/shop", "postgresql+psycopg://reader:hun/ter2@db/shop", "mysql://r:hunter2@db/s",
        "postgresql://db/shop?sslmode=require&password=hunter2", "postgresql://r:${A}hunter2@db/shop",
    ],
)  # fmt: skip
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BriefError, match=r"holds a password\. Write \$\{NAME\} there") as raised:
        Brief.parse(changed("source: events.csv", f'source: "{url}", query: SELECT 1'))
    assert "ter2" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader@db:5432/shop", "postgresql://${U}:${P}@db/shop", "${SHOP_URL}", "sqlite:///shop.db",
        "postgresql://db/shop?password=${P}", "events@2026.csv",
    ],
)  # fmt: skip
def test_a_url_without_a_password_or_with_a_variable_for_it_is_kept(url: str) -> None:
    brief = Brief.parse(changed("source: events.csv", f'source: "{url}"'))
    assert brief.data.sources["events"].source == url
    assert Brief.parse(brief.dump()) == brief


REMOTE = """
language:
  remote:
    allowed: true
    base_url: https://models.example:8443/v1
    purposes: [recommendation]
    fields: [items.title]
    role: data-protection
    reason: contract with the processor, annex 2
    until: 2027-03-31
"""


def test_no_data_leave_unless_the_brief_says_so() -> None:
    remote = Brief.parse(SMALL).language.remote
    assert (remote.allowed, remote.base_url, remote.fields, remote.until) == (False, None, [], None)


def test_a_brief_allows_named_fields_to_go_to_one_server() -> None:
    brief = Brief.parse(SMALL + REMOTE)
    assert brief.language.remote.until == date(2027, 3, 31)
    assert Brief.parse(brief.dump()) == brief
    assert brief.hash != Brief.parse(SMALL).hash


@pytest.mark.parametrize("key", ["base_url", "purposes", "fields", "role", "reason", "until"])
def test_leave_is_given_whole_or_not_at_all(key: str) -> None:
    lines = [line for line in REMOTE.splitlines() if not line.startswith(f"    {key}:")]
    with pytest.raises(BriefError, match=f"language.remote.allowed needs language.remote.{key}"):
        Brief.parse(SMALL + "\n".join(lines))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("https://models.example:8443/v1", "http://models.example/v1", "must be https://HOST/PATH"),
        ("https://models.example:8443/v1", "https://key:planted@models.example", "must be https://HOST/PATH"),
        (
            "https://models.example:8443/v1",
            "https://models.example/v1?key=planted",
            "must be https://HOST/PATH",
        ),
        ("https://models.example:8443/v1", "https://models.example:99999/v1", "must be https://HOST/PATH"),
        ("[recommendation]", "[recomendation]", "Did you mean 'recommendation'"),
        ("items.title", "item.title", "Did you mean 'items'"),
        ("items.title", "title", "no `table.column`"),
        ("items.title", "users.faith", "'users.faith' is protected and may not leave"),
        ("items.title", "users.email", "'users.email' serves only analytics"),
    ],
)
def test_leave_that_makes_no_sense_is_refused(old: str, new: str, message: str) -> None:
    assert REMOTE.count(old) == 1
    columns = "columns: {faith: {protected: true}, email: {purposes: [analytics]}}\n"
    with pytest.raises(BriefError, match=message) as refused:
        Brief.parse(SMALL + columns + REMOTE.replace(old, new))
    assert "planted" not in str(refused.value)
