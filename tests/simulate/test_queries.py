import numpy as np
import pytest

from mercer.simulate.queries import misspell, write_queries, write_query
from mercer.simulate.wording import attributes_of
from mercer.simulate.world import World


def test_a_query_names_the_type_and_what_it_asks_for(small_world: World) -> None:
    rng = np.random.default_rng(0)
    catalogue = small_world.catalogue
    for item in range(120):
        query = write_query(catalogue, item, rng)
        kind = catalogue.type_of(item)
        assert any(name.lower() in query.text for name in (kind.name, *kind.words))
        assert all(attributes_of(catalogue, item)[name] == value for name, value in query.asked)
        assert all(value.lower() in query.text for _, value in query.asked)
        assert query.text == query.text.lower().strip()


def test_a_slip_changes_one_word_by_one_letter_or_two() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        slipped = misspell("large walnut chopping board", rng)
        changed = [
            (a, b)
            for a, b in zip(["large", "walnut", "chopping", "board"], slipped.split(), strict=True)
            if a != b
        ]
        assert len(changed) == 1
        before, after = changed[0]
        assert abs(len(before) - len(after)) <= 1
        assert before[0] == after[0]


def test_short_words_and_amounts_are_left_alone() -> None:
    assert misspell("tea 500 g", np.random.default_rng(0)) == "tea 500 g"


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_share_of_misspelt_queries_is_as_asked(small_world: World, share: float) -> None:
    items = np.random.default_rng(0).integers(0, 120, 800)
    queries = write_queries(small_world.catalogue, items, share, np.random.default_rng(2))
    assert np.mean([query.misspelt for query in queries]) == pytest.approx(share, abs=0.06)
