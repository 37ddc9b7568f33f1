from datetime import date

import numpy as np
import pytest

from mercer.simulate.catalogue import PARTNERS, Catalogue, make_catalogue
from mercer.simulate.kinds import assortment
from mercer.simulate.options import stream
from mercer.simulate.season import Calendar
from mercer.simulate.wording import attributes_of, text_of, title_of

YEAR = Calendar.ending(date(2026, 9, 30), 12)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(assortment(), 2000, YEAR, stream(7, "catalogue"))


def test_every_type_is_sold_and_every_item_is_different(catalogue: Catalogue) -> None:
    assert len(catalogue) == 2000
    assert len(set(catalogue.ids)) == 2000
    assert len(set(catalogue.kind_of.tolist())) == len(assortment().types)
    assert len({title_of(catalogue, item) for item in range(2000)}) == 2000


def test_prices_lie_within_the_type_and_grow_with_size(catalogue: Catalogue) -> None:
    low = np.array([kind.price[0] for kind in catalogue.assortment.types])[catalogue.kind_of]
    high = np.array([kind.price[1] for kind in catalogue.assortment.types])[catalogue.kind_of]
    assert (catalogue.price_minor >= low - 50).all()
    assert (catalogue.price_minor <= high + 100).all()
    sizes = np.array([len(kind.sizes) for kind in catalogue.assortment.types])[catalogue.kind_of]
    place = (catalogue.price_minor - low) / (high - low)
    assert place[catalogue.size == sizes - 1].mean() > 2 * place[catalogue.size == 0].mean()


def test_partners_are_other_items_of_the_types_that_go_with_it(catalogue: Catalogue) -> None:
    assert catalogue.partners.shape == (2000, PARTNERS)
    np.testing.assert_allclose(catalogue.partner_weights.sum(axis=1), 1.0)
    for item in range(0, 2000, 53):
        wished = catalogue.type_of(item).goes_with
        used = catalogue.partners[item][catalogue.partner_weights[item] > 0]
        assert all(catalogue.type_of(int(partner)).name in wished for partner in used)


def test_some_items_come_and_go_and_never_both(catalogue: Catalogue) -> None:
    new, gone = np.isfinite(catalogue.begins), np.isfinite(catalogue.ends)
    assert 150 < new.sum() < 350
    assert 40 < gone.sum() < 130
    assert not (new & gone).any()


def test_more_items_than_can_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="variants"):
        make_catalogue(assortment().part(60), 50_000, YEAR, stream(1, "catalogue"))


def test_titles_name_brand_make_and_size(catalogue: Catalogue) -> None:
    for item in range(0, 2000, 41):
        known = attributes_of(catalogue, item)
        assert all(known[name] in title_of(catalogue, item) for name in known)


def test_texts_are_sentences_and_say_who_may_buy(catalogue: Catalogue) -> None:
    for item in range(2000):
        text = text_of(catalogue, item)
        assert text[0].isupper()
        assert text.endswith(".")
        assert "  " not in text
        assert ("adults only" in text) == (catalogue.min_age[item] == 18)
