from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import Candidate, Ragged, Rankings
from mercer.errors import UnsupportedError, UsageError
from mercer.release import NO_OVERLAY, FrameRelease, Overlay, load
from mercer.search.understanding import Filters, Understanding
from release.wording_shop import BRANDS, COLOURS, DAY, NOW, WordingShop, make_wording_shop

ASKED = "red jacket under 36 euros"


@pytest.fixture(scope="module")
def wording(tmp_path_factory: pytest.TempPathFactory) -> WordingShop:
    return make_wording_shop(tmp_path_factory.mktemp("wording"))


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> WordingShop:
    """Only what meets all filters is an answer."""
    return make_wording_shop(tmp_path_factory.mktemp("strict"), filters="only")


def items_of(shop: WordingShop, rankings: Rankings, row: int = 0) -> list[str]:
    return shop.vocabulary.decode(rankings.items[row][rankings.items[row] >= 0])


def by(filters: Filters, query: str = "jacket mug knife puzzle") -> list[Understanding]:
    return [Understanding(query=query, filters=filters)]


def test_the_path_of_the_gates_understands_queries(wording: WordingShop) -> None:
    assert isinstance(wording.release, Candidate)
    served = wording.release.search("find", wording.requests(ASKED), 8)
    [held] = wording.release.understand("find", [ASKED])
    assert held.filters.category == "Clothing > Jackets"
    assert held.filters.attributes == {"colour": "Red"}
    assert held.filters.price_max == 3600
    assert sorted(items_of(wording, served)[:6]) == sorted(
        f"jacket-{b[0]}r{n}".lower() for b in BRANDS for n in (0, 1)
    )
    answer = wording.release.answer("find", wording.requests(ASKED), 8)
    assert answer.understood == (held,)
    assert np.array_equal(answer.rankings.items, served.items)


def test_a_plain_query_is_ranked_as_the_base_search_ranks_it(wording: WordingShop) -> None:
    asked = wording.requests(ASKED, age=30)
    plain = wording.release.search("find", asked, 20, understood=[Understanding(query=ASKED)])
    base = wording.release.rankers["find"].base.rank(asked, 20)  # type: ignore[attr-defined]
    assert np.array_equal(plain.items, base.items)
    assert np.array_equal(plain.scores, base.scores)


def test_answers_do_not_depend_on_the_batch(wording: WordingShop) -> None:
    queries = [f"{colour} {noun}" for colour in COLOURS for noun in ("jacket", "mug")] * 70
    assert len(queries) > 512
    held = wording.release.understand("find", queries)
    together = wording.release.search("find", wording.requests(*queries), 3, understood=held)
    alone = wording.release.search("find", wording.requests(queries[550]), 3)
    assert np.array_equal(together.items[550], alone.items[0])


def test_an_answer_by_filters_is_chosen_for_certain(wording: WordingShop) -> None:
    answer = wording.release.answer("find", wording.requests(ASKED), 5)
    assert answer.policy == "find/understood-rules"
    assert (answer.propensity == 1).all()
    shown = answer.rankings.items[0]
    assert answer.requests.eligible()[0, shown].all()


@settings(max_examples=40, deadline=None)
@given(
    age=st.sampled_from([-1, 0, 5, 6, 17, 18, 40]),
    told=st.sampled_from([0, 5, 6, 17, 18, 40, 110]),
    category=st.sampled_from(["", "Kitchen", "Kitchen > Knives", "Toys > Puzzles"]),
)
def test_an_age_in_a_query_can_only_hide(wording: WordingShop, age: int, told: int, category: str) -> None:
    asked = wording.requests("knife puzzle mug", age=age)
    plain = wording.release.answer("find", asked, 144, understood=by(Filters()))
    answer = wording.release.answer("find", asked, 144, understood=by(Filters(age=told, category=category)))
    allowed = plain.requests.eligible()[0]
    assert not np.any(answer.requests.eligible()[0] & ~allowed)
    shown = answer.rankings.items[0][answer.rankings.items[0] >= 0]
    assert allowed[shown].all()
    least = wording.items["min_age"].to_numpy()[shown]
    assert (least <= max(0, min(age, told))).all()


def test_a_child_who_types_an_age_sees_no_knife(wording: WordingShop) -> None:
    query = "knife for a 40 year old"
    [held] = wording.release.understand("find", [query])
    assert held.filters.age == 40
    for age in (-1, 12):
        assert not any(
            item.startswith("knife")
            for item in items_of(
                wording, wording.release.search("find", wording.requests(query, age=age), 144)
            )
        )
    adult = items_of(wording, wording.release.search("find", wording.requests(query, age=18), 5))
    assert all(item.startswith("knife") for item in adult)


def test_no_filter_brings_back_what_a_rule_denies(wording: WordingShop) -> None:
    wanted = by(
        Filters(
            category="Clothing > Jackets", brand="Ashdown", attributes=MappingProxyType({"colour": "Red"})
        )
    )
    codes = [wording.vocabulary.code(f"jacket-ar{n}") for n in range(3)]

    def shown(overlay: Overlay = NO_OVERLAY, **changes: object) -> list[str]:
        asked = wording.requests("jacket", age=30, **changes)
        return items_of(
            wording, wording.release.search("find", asked, 144, overlay=overlay, understood=wanted)
        )

    assert sorted(shown()[:3]) == ["jacket-ar0", "jacket-ar1", "jacket-ar2"]
    gone = Overlay(
        version=1,
        withdrawn=frozenset({"jacket-ar0"}),
        availability={"jacket-ar1": (NOW + DAY, None), "jacket-ar2": (None, NOW - DAY)},
    )
    assert not {"jacket-ar0", "jacket-ar1", "jacket-ar2"} & set(shown(gone, pin=Ragged.from_rows([codes])))
    assert not {"jacket-ar0", "jacket-ar1"} & set(shown(deny=Ragged.from_rows([codes[:2]])))
    assert shown(allow=Ragged.from_rows([codes[2:]])) == ["jacket-ar2"]


def test_a_limit_of_price_holds_for_the_price_of_today(strict: WordingShop) -> None:
    def shown(overlay: Overlay) -> set[str]:
        wanted = by(Filters(category="Clothing > Jackets", price_max=3400))
        asked = strict.requests("jacket")
        return set(
            items_of(strict, strict.release.search("find", asked, 144, overlay=overlay, understood=wanted))
        )

    before = shown(NO_OVERLAY)
    assert "jacket-ar0" in before
    assert "jacket-ar2" not in before
    changed = shown(Overlay(version=1, price={"jacket-ar0": 9900, "jacket-ar2": 3400, "unheard-of": 1}))
    assert changed == before - {"jacket-ar0"} | {"jacket-ar2"}
    assert shown(NO_OVERLAY) == before


def test_the_least_age_of_today_holds_for_an_age_told(strict: WordingShop) -> None:
    def shown(overlay: Overlay) -> set[str]:
        asked = strict.requests("puzzle mug", age=30)
        wanted = by(Filters(age=5), "puzzle mug")
        return set(
            items_of(strict, strict.release.search("find", asked, 144, overlay=overlay, understood=wanted))
        )

    before = shown(NO_OVERLAY)
    assert not any(item.startswith("puzzle") for item in before)
    assert shown(Overlay(version=1, min_age={"puzzle-ar0": 3, "mug-ar0": 12})) == before - {"mug-ar0"} | {
        "puzzle-ar0"
    }


def test_a_search_that_does_not_understand_refuses_to(wording: WordingShop) -> None:
    assert wording.release.understands("find")
    assert not wording.release.understands("words")
    assert wording.release.answer("words", wording.requests("red mug"), 3).understood is None
    with pytest.raises(UnsupportedError, match=r"'words' \(bm25\) does not understand"):
        wording.release.understand("words", ["red mug"])
    with pytest.raises(UnsupportedError, match="does not understand"):
        wording.release.search("words", wording.requests("red mug"), 3, understood=by(Filters()))


def test_understandings_must_fit_the_requests_and_the_catalogue(wording: WordingShop) -> None:
    asked = wording.requests("red mug", "blue mug")
    with pytest.raises(UsageError, match="2 requests"):
        wording.release.answer("find", asked, 3, understood=by(Filters()))
    with pytest.raises(UsageError, match="catalogue"):
        wording.release.answer("find", asked, 3, understood=by(Filters(brand="Nobody")) * 2)


def test_a_loaded_release_understands_the_same(wording: WordingShop) -> None:
    again = load(wording.release.folder)
    assert again.understand("find", [ASKED]) == wording.release.understand("find", [ASKED])


def test_frames_show_what_is_understood(wording: WordingShop) -> None:
    frames = FrameRelease(wording.release)
    table = frames.understand([ASKED, "mug"], target="find")
    assert list(table.columns) == [
        "query", "searched", "intent", "category", "brand", "price_min", "price_max", "age", "attributes",
    ]  # fmt: skip
    first = table.iloc[0]
    assert (first["query"], first["category"], first["price_max"]) == (ASKED, "Clothing > Jackets", 3600)
    assert first["attributes"] == {"colour": "Red"}
    assert table["price_min"].isna().all()


def test_frames_search_plainly_or_less_what_is_taken_back(wording: WordingShop) -> None:
    frames = FrameRelease(wording.release)

    def found(**changes: object) -> list[str]:
        return frames.search([ASKED], k=6, target="find", **changes)["item"].tolist()

    [held] = wording.release.understand("find", [ASKED])
    less = wording.release.search("find", wording.requests(ASKED), 6, understood=[held.without("price_max")])
    assert found(without=["price_max"]) == items_of(wording, less) != found()
    plain = wording.release.search(
        "find", wording.requests(ASKED), 6, understood=[Understanding(query=ASKED)]
    )
    assert found(understand=False) == items_of(wording, plain)
    assert frames.search(["mug"], k=3, target="words", understand=False).equals(
        frames.search(["mug"], k=3, target="words")
    )


def test_what_can_not_be_taken_back_is_named(wording: WordingShop) -> None:
    frames = FrameRelease(wording.release)
    for wrong, meant in (
        ("attributes.color", "attributes.colour"),
        ("prise_max", "price_max"),
        ("brands", "brand"),
    ):
        with pytest.raises(UsageError, match=f"Did you mean '{meant}'"):
            frames.search([ASKED], target="find", without=["brand", wrong])
    with pytest.raises(UsageError, match="Nothing is understood"):
        frames.search([ASKED], target="find", understand=False, without=["brand"])
    with pytest.raises(UnsupportedError, match="does not understand"):
        frames.search([ASKED], target="words", without=["brand"])


def test_the_ranker_of_the_release_is_not_changed_by_an_overlay(wording: WordingShop) -> None:
    ranker = wording.release.reader("find")
    before = ranker.facts.prices.copy()
    wording.release.search(
        "find", wording.requests(ASKED), 3, overlay=Overlay(version=1, price={"jacket-ar0": 1})
    )
    assert np.array_equal(ranker.facts.prices, before)
    assert wording.release.reader("find") is ranker


def test_no_request_gives_no_row(wording: WordingShop) -> None:
    empty = replace(wording.requests("mug").take([]), query=())
    assert wording.release.search("find", empty, 3).items.shape == (0, 3)


def test_an_answer_knows_which_items_meet_all_filters(wording: WordingShop) -> None:
    held = by(Filters(category="Kitchen > Mugs", price_max=1300), "mug jacket") * 2
    cheap = Overlay(version=1, price={"mug-ar2": 100, "mug-ar0": 9900})
    answer = wording.release.answer(
        "find", wording.requests("mug", "mug"), 100, overlay=cheap, understood=held
    )
    assert answer.meets is not None
    for row in range(2):
        shown = items_of(wording, answer.rankings, row)
        met = [item for item, meets in zip(shown, answer.meets[row], strict=False) if meets]
        expected = {i for i in wording.items["item"] if i.startswith("mug") and i[-1] in "01"}
        assert set(met) == expected - {"mug-ar0"} | {"mug-ar2"}
        assert answer.meets[row].tolist() == sorted(answer.meets[row].tolist(), reverse=True)
    assert not answer.meets[answer.rankings.items < 0].any()
