from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from language.remote.quick import QuickClock
from mercer.brief import Brief
from mercer.errors import UnsupportedError
from mercer.language.remote import Permission, RemoteGenerator
from mercer.language.remote.permission import check_leave, server_of

BRIEF = """
schema: 1
name: small-shop
question: What next?
decision: {date: 2026-10-01, target: next}
data:
  events: {source: events.csv}
targets:
  next: {task: recommend}
"""
REMOTE = """
language:
  remote:
    allowed: true
    base_url: https://models.example/v1
    purposes: [recommendation]
    fields: [items.title, requests.query]
    role: data-protection
    reason: contract with the processor, annex 2
    until: 2027-03-31
"""
HOW: dict[str, Any] = {"purpose": "recommendation", "fields": ["items.title"]}


def options(url: str = "https://models.example/v1") -> RemoteGenerator.Options:
    return RemoteGenerator.Options(base_url=url, model="m")


def clock(day: str) -> QuickClock:
    return QuickClock(datetime.fromisoformat(day).replace(tzinfo=UTC))


def test_without_a_permission_nothing_leaves() -> None:
    with pytest.raises(
        UnsupportedError, match=r"models\.example is not this machine.*language\.remote\.allowed"
    ):
        RemoteGenerator(options())


def test_a_brief_that_says_nothing_allows_nothing() -> None:
    with pytest.raises(UnsupportedError, match=r"language\.remote\.allowed"):
        Permission.of(Brief.parse(BRIEF), **HOW)


def test_a_brief_that_allows_it_opens_that_server() -> None:
    permission = Permission.of(Brief.parse(BRIEF + REMOTE), **HOW)
    RemoteGenerator(options(), permission=permission, clock=clock("2027-03-31")).close()
    assert permission.reference.startswith("small-shop:")
    assert Permission.of(Brief.parse(BRIEF + REMOTE.replace("annex 2", "annex 3")), **HOW).reference != (
        permission.reference
    )


@pytest.mark.parametrize(
    ("changed", "key"),
    [({"purpose": "analytics"}, "purposes"), ({"fields": ["items.title", "users.email"]}, "fields")],
)
def test_another_purpose_or_field_is_refused_by_its_key(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"language\.remote\.{key}\.$"):
        Permission.of(Brief.parse(BRIEF + REMOTE), **{**HOW, **changed})


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/v1",
        "https://models.example:8443/v1",
        "https://models.example/v2",
        "https://models.example.evil/v1",
        "https://1.2.3.4/v1",
    ],
)
def test_another_server_is_refused(url: str) -> None:
    permission = Permission.of(Brief.parse(BRIEF + REMOTE), **HOW)
    with pytest.raises(UnsupportedError, match=r"language\.remote\.base_url"):
        RemoteGenerator(options(url), permission=permission, clock=clock("2027-01-01"))


def test_a_permission_ends_also_for_a_generator_that_is_already_there() -> None:
    permission = Permission.of(Brief.parse(BRIEF + REMOTE), **HOW)
    with pytest.raises(UnsupportedError, match=r"ended on 2027-03-31.*language\.remote\.until"):
        RemoteGenerator(options(), permission=permission, clock=clock("2027-04-01"))
    late = clock("2027-03-31")
    with RemoteGenerator(options(), permission=permission, clock=late) as generator:
        late.sleep(2 * 86_400)
        with pytest.raises(UnsupportedError, match=r"language\.remote\.until"):
            generator.generate([{"role": "user", "content": "x"}], max_tokens=1, temperature=0, seed=1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST"])
def test_the_loopback_is_this_machine(host: str) -> None:
    server = server_of(f"http://{host}:8000/v1")
    assert server.is_local
    check_leave(server, None, clock("2027-04-01").time().date())


@pytest.mark.parametrize(
    "host", ["localhost.example", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "[::]", "127.1", "2130706433"]
)
def test_what_only_looks_like_the_loopback_is_not(host: str) -> None:
    assert not server_of(f"https://{host}/v1").is_local
