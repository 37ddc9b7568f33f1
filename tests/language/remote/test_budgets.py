from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.remote.model import ANSWER
from language.remote.proxy import FaultyProxy
from language.remote.server import ChatServer
from mercer.errors import SpentError
from mercer.language.remote import Ledger, SpentPartwayError, Usage

HOW: dict[str, Any] = {"max_tokens": 30, "temperature": 0.0, "seed": 1}


def chats(n: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"running shoes {at}"}] for at in range(n)]


def test_a_budget_that_ends_in_the_middle_keeps_what_is_done_and_goes_on(
    proxy: FaultyProxy, remote: Any
) -> None:
    with pytest.raises(SpentPartwayError, match="max_requests") as spent:
        remote(proxy, max_requests=5).generate_many(chats(8), **HOW)
    assert proxy.posts == 5
    assert sum(one is not None for one in spent.value.results) == 5
    assert len(spent.value.results) == 8
    answers = remote(proxy, max_requests=3).generate_many(chats(8), **HOW)
    assert proxy.posts == 8
    assert sum(one.cached for one in answers) == 5
    for before, after in zip(spent.value.results, answers, strict=True):
        assert before is None or before.text == after.text


@pytest.mark.parametrize("limits", [{"max_tokens": 250}, {"max_money": 250e-6}])
def test_tokens_and_money_hold_too(proxy: FaultyProxy, remote: Any, limits: dict[str, Any]) -> None:
    generator = remote(proxy, price_in=1.0, price_out=1.0, max_concurrency=1, **limits)
    with pytest.raises(SpentPartwayError):
        generator.generate_many(chats(20), **HOW)
    spent = generator.ledger.spent
    assert 0 < spent.tokens <= 250
    assert spent.money == pytest.approx(spent.tokens / 1e6)
    assert spent.requests == proxy.posts > 0


def test_retries_are_counted(proxy: FaultyProxy, remote: Any) -> None:
    proxy.play(["500"] * 9)
    with pytest.raises(SpentError):
        remote(proxy, max_requests=3, retries=9).generate(chats(1)[0], **HOW)
    assert proxy.posts == 3


def test_an_answer_that_was_cut_is_booked_at_its_worst_case(proxy: FaultyProxy, remote: Any) -> None:
    proxy.play(["cut"])
    generator = remote(proxy)
    most = generator.estimate_cost(chats(1), **HOW)
    answer = generator.generate(chats(1)[0], **HOW)
    real = proxy.posts and generator.ledger.spent.tokens - most.tokens_in - most.tokens_out
    assert real == answer.tokens_in + answer.tokens_out - most.tokens_in - most.tokens_out or real > 0
    assert generator.ledger.spent.requests == 2


def test_one_ledger_serves_several_generators(server: ChatServer, remote: Any) -> None:
    ledger = Ledger(max_requests=2)
    first, second = remote(server, ledger=ledger), remote(server, ledger=ledger)
    first.generate(chats(1)[0], **HOW)
    second.generate(chats(2)[1], **HOW)
    with pytest.raises(SpentError):
        first.generate(chats(3)[2], **HOW)


def test_what_an_earlier_process_spent_counts() -> None:
    with pytest.raises(SpentError, match="9 are spent"):
        Ledger(max_requests=9, spent=Usage(requests=9)).reserve(Usage(requests=1))


@given(most=st.integers(1, 30), sizes=st.lists(st.sampled_from((1, 1, 7)), min_size=8, max_size=40))
def test_a_ledger_holds_over_threads(most: int, sizes: list[int]) -> None:
    ledger = Ledger(max_tokens=most)
    passed: list[int] = []

    def spend(mine: list[int]) -> None:
        for size in mine:
            try:
                ledger.reserve(Usage(1, size, 0.0))
            except SpentError:
                continue
            ledger.settle(Usage(1, size, 0.0), Usage(1, size, 0.0))
            passed.append(size)

    threads = [threading.Thread(target=spend, args=(sizes[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == ledger.spent.tokens <= most


def test_many_are_asked_in_order_and_not_more_at_once_than_allowed(proxy: FaultyProxy, remote: Any) -> None:
    class Bar:
        seen: list[tuple[int, int]] = []  # noqa: RUF012

        def advance(self, done: int, total: int, note: str = "") -> None:
            self.seen.append((done, total))

    proxy.play(["delay"] * 12)
    wanted = [*chats(6), [{"role": "user", "content": "a mug, please"}], *chats(3)]
    alone = [remote(proxy, cache=False).generate(chat, **HOW).text for chat in wanted]
    proxy.play(["delay"] * 12)
    bar = Bar()
    answers = remote(proxy, cache=False, max_concurrency=3).generate_many(wanted, progress=bar, **HOW)
    assert [one.text for one in answers] == alone
    assert ANSWER in alone
    assert 1 < proxy.most_at_once <= 3
    assert bar.seen == [(at + 1, 10) for at in range(10)]


def test_no_requests_give_no_answers(server: ChatServer, remote: Any) -> None:
    assert remote(server).generate_many([], **HOW) == []


def test_the_rate_is_kept_on_the_clock(proxy: FaultyProxy, remote: Any) -> None:
    from language.remote.quick import QuickClock

    clock = QuickClock()
    generator = remote(proxy, clock=clock, requests_per_minute=6, max_concurrency=1)
    generator.generate_many(chats(7), **HOW)
    assert sum(clock.slept) > 55
