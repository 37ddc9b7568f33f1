import re

from mercer.simulate.kinds import assortment


def test_companions_are_types_that_exist_and_never_the_type_itself() -> None:
    shop = assortment()
    named = [(kind.name, name) for kind in shop.types for name in kind.goes_with]
    assert len(named) > 200
    assert all(name in shop.number and name != own for own, name in named)


def test_prices_seasons_and_attributes_are_whole() -> None:
    shop = assortment()
    assert len(shop.types) == 130
    for kind in shop.types:
        assert 100 <= kind.price[0] < kind.price[1]
        assert kind.season in shop.seasons
        assert kind.kinds
        assert kind.sizes
        assert len(kind.facts) >= 3
        assert kind.min_age in (0, 12, 18)
    assert all(len(curve) == 12 and min(curve) > 0 for curve in shop.seasons.values())
    assert sum(kind.variants for kind in shop.types) >= 20_000


def test_alcohol_and_blades_are_for_adults() -> None:
    limited = {kind.name for kind in assortment().types if kind.min_age >= 18}
    assert {"Red Wine", "Gin", "Craft Beer", "Chef's Knife", "Hatchet", "Pocket Knife"} <= limited
    cellar = [kind for kind in assortment().types if "Cellar" in kind.category]
    assert cellar
    assert all(kind.min_age == 18 for kind in cellar)


def test_what_people_also_type_does_not_name_another_make() -> None:
    for kind in assortment().types:
        makes = {word.lower() for make in kind.kinds for word in re.findall(r"\w+", make)}
        others = {word for text in kind.words for word in text.lower().split()}
        assert not (makes - set(kind.name.lower().split())) & others, kind.name


def test_what_nobody_can_serve_is_not_sold() -> None:
    shop = assortment()
    sold = {text.lower() for kind in shop.types for text in (kind.name, *kind.words)}
    assert len(shop.unserved) >= 30
    assert not sold & set(shop.unserved)


def test_a_small_assortment_keeps_all_departments_and_limited_goods() -> None:
    part = assortment().part(120)
    assert len(part.types) == 20
    assert {kind.category.split(" > ")[0] for kind in part.types} == {
        "Home",
        "Garden & Outdoor",
        "Food & Drink",
    }
    assert any(kind.min_age >= 18 for kind in part.types)
