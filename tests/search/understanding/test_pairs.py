"""Training pairs made from a catalogue."""

from __future__ import annotations

from mercer.search.understanding.pairs import Part, make_pairs, part_of, templates

from .shop import items, rules


def made(n: int, *, seed: int = 1, part: Part = "training") -> list[object]:
    maker = rules()
    return list(make_pairs(items(), maker.values, maker.facts, maker.lexicon, n=n, seed=seed, part=part))


def test_equal_arguments_give_equal_pairs() -> None:
    assert made(50) == made(50)
    assert made(50) != made(50, seed=2)


def test_validation_asks_in_ways_that_training_does_not() -> None:
    assert len(templates("training")) >= 100
    assert len(templates("validation")) >= 20
    assert not set(templates("training")) & set(templates("validation"))
    maker = rules()
    for part in ("training", "validation"):
        pairs = make_pairs(items(), maker.values, maker.facts, maker.lexicon, n=200, seed=3, part=part)
        assert {part_of(pair.template) for pair in pairs} == {part}


def test_every_answer_is_legal_and_every_mark_lies_in_its_query() -> None:
    maker = rules()
    pairs = make_pairs(items(), maker.values, maker.facts, maker.lexicon, n=600, seed=4)
    for pair in pairs:
        assert maker.values.holds(pair.understood.filters)
        for mark in pair.marks:
            assert pair.text[mark.start : mark.end].strip()
        told = pair.understood.filters.to_json()
        assert ({mark.kind for mark in pair.marks} - {"attribute"}) == set(told) - {"attributes"}
        assert any(mark.kind == "attribute" for mark in pair.marks) == ("attributes" in told)
    assert {pair.understood.intent for pair in pairs} == {"product", "gift", "service"}
    assert sum(not pair.understood.filters.to_json() for pair in pairs) > 50


def test_a_catalogue_without_categories_and_attributes_can_be_asked_about() -> None:
    bare = items().assign(category="", attributes="")
    from mercer.search.understanding.facts import ItemFacts
    from mercer.search.understanding.rules import RuleMaker
    from mercer.search.understanding.values import CatalogueValues

    values = CatalogueValues.of(bare)
    maker = RuleMaker.build(bare, values, ItemFacts.of(bare, values))
    pairs = make_pairs(bare, values, maker.facts, maker.lexicon, n=200, seed=1)
    assert all(values.holds(pair.understood.filters) for pair in pairs)
    assert not any(pair.understood.filters.category for pair in pairs)
