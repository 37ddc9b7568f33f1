import numpy as np
import pandas as pd

from mercer.simulate.catalogue import make_catalogue
from mercer.simulate.judgments import POOL, grades_of, judge
from mercer.simulate.kinds import assortment
from mercer.simulate.options import stream
from mercer.simulate.queries import Query
from mercer.simulate.wording import attributes_of
from mercer.simulate.world import World


def graded(world: World, asked: tuple[tuple[str, str], ...], type_number: int) -> pd.DataFrame:
    catalogue = world.catalogue
    held = [attributes_of(catalogue, item) for item in range(len(catalogue))]
    return pd.DataFrame(held).assign(
        grade=grades_of(catalogue, Query("", type_number, asked), held),
        same=catalogue.kind_of == type_number,
        shelf=catalogue.category == catalogue.category[np.flatnonzero(catalogue.kind_of == type_number)[0]],
    )


def test_a_query_for_a_type_alone_gives_every_item_of_it_the_best_grade(small_world: World) -> None:
    table = graded(small_world, (), 3)
    assert (table.loc[table["same"], "grade"] == 3).all()
    assert table.loc[~table["same"], "grade"].max() <= 1


def test_grades_follow_from_the_conditions_met(small_world: World) -> None:
    item = int(np.flatnonzero(small_world.catalogue.kind_of == 3)[0])
    wanted = attributes_of(small_world.catalogue, item)
    asked = (("variety", wanted["variety"]), ("size", wanted["size"]))
    table = graded(small_world, asked, 3)
    met = (table["variety"] == wanted["variety"]).astype(int) + (table["size"] == wanted["size"])
    assert (table.loc[table["same"], "grade"] == met[table["same"]].map({2: 3, 1: 2, 0: 1})).all()
    assert table.loc[item, "grade"] == 3


def test_another_brand_is_a_substitute_but_another_make_is_not(small_world: World) -> None:
    item = int(np.flatnonzero(small_world.catalogue.kind_of == 3)[0])
    wanted = attributes_of(small_world.catalogue, item)
    by_brand = graded(small_world, (("brand", wanted["brand"]),), 3)
    by_make = graded(small_world, (("variety", wanted["variety"]),), 3)
    other_brand = by_brand["same"] & (by_brand["brand"] != wanted["brand"])
    other_make = by_make["same"] & (by_make["variety"] != wanted["variety"])
    assert (by_brand.loc[other_brand, "grade"] == 2).all()
    assert (by_make.loc[other_make, "grade"] == 1).all()


def test_pools_are_whole_and_hold_good_and_bad_items() -> None:
    catalogue = make_catalogue(assortment(), 2000, _year(), stream(7, "catalogue"))
    judged = judge(catalogue, 300, stream(7, "judgments"))
    table = pd.DataFrame({"query": judged.query, "item": judged.item, "grade": judged.grade})
    assert len(judged.queries) == 300
    assert len({query.text for query in judged.queries}) == 300
    assert (table.groupby("query").size() == POOL).all()
    assert not table.duplicated(["query", "item"]).any()
    assert (table.groupby("query")["grade"].max() == 3).all()
    assert (table.groupby("query")["grade"].min() == 0).mean() > 0.95
    assert set(table["grade"]) == {0, 1, 2, 3}
    assert 0.05 < np.mean([query.misspelt for query in judged.queries]) < 0.2


def _year():  # type: ignore[no-untyped-def]
    from datetime import date

    from mercer.simulate.season import Calendar

    return Calendar.ending(date(2026, 9, 30), 12)
