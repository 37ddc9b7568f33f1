"""What was counted, as a term of every step: sums of masses, a person's own future left out."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.language.beams import Prefixes
from mercer.language.events import TaskOptions, tasks
from mercer.language.events.trainee import EventTrainee
from mercer.language.semantic_ids import random_ids
from mercer.recommend.generative import Generative
from mercer.recommend.generative.counted import NO_LESSON, Counted, masses
from mercer.recommend.neighbours import unpacked
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.sequence.neighbourhood import Neighbourhood, counted
from mercer.recommend.signals import signals
from mercer.testing.handmade import log, requests
from mercer.testing.small_shop import small_dataset, small_requests
from recommend.generative.tiny import N, fitted, walks

OPTIONS = Generative.Options(encoder="none", events={"window": 8})
IDS = random_ids(24, (3, 4), seed=2)


def test_terms_are_the_logarithms_of_summed_masses() -> None:
    """Against plain sums over all items, for every lesson and level."""
    train = small_dataset()
    assert train.interactions is not None
    heard, weights = signals(train.interactions, OPTIONS)
    arrays = counted(train, heard, OPTIONS)
    prefixes = Prefixes.of(IDS.codes, IDS.sizes)
    made = Counted.of(arrays, prefixes, heard, weights, OPTIONS, repeats=True)
    lessons = Lessons.of(heard, weights, window=8, asked="event", answers=OPTIONS.answers, repeats=True)
    near = Neighbourhood.of(arrays, heard, weights, OPTIONS, OPTIONS.neighbours)
    every = np.arange(len(lessons))
    mass = np.exp(near.near(lessons, every, np.arange(24)).block(0, len(lessons.event)).astype(np.float64))
    assert mass.max() > 1.5
    examined = 0
    for question, (event, answer) in enumerate(zip(lessons.event, lessons.answer, strict=True)):
        path = IDS.codes[answer]
        for level, size in enumerate(IDS.sizes):
            above = np.array([prefixes.depths[level].node_of[prefixes.leaf[answer]]])
            found = made.terms(level, np.array([event]), above)[0].astype(np.float64)
            below = (IDS.codes[:, :level] == path[:level]).all(axis=1)
            sums = np.bincount(IDS.codes[below, level], mass[question, below], minlength=size)
            there = sums > 0
            wanted = np.log(sums[there])
            # Terms are known up to what is added to all children of a node.
            np.testing.assert_allclose(found[there] - found[there].max(), wanted - wanted.max(), atol=0.02)
            examined += 1
    assert examined > 100


def test_without_a_lesson_every_item_weighs_the_same() -> None:
    train = small_dataset()
    assert train.interactions is not None
    heard, weights = signals(train.interactions, OPTIONS)
    prefixes = Prefixes.of(IDS.codes, IDS.sizes)
    made = Counted.of(counted(train, heard, OPTIONS), prefixes, heard, weights, OPTIONS, repeats=True)
    first = heard.indptr[:-1][heard.lengths > 0]
    assert (made.row_of[first] == NO_LESSON).all()
    root = np.zeros(2, np.int64)
    found = made.terms(0, np.array([first[0], -1]), root)
    np.testing.assert_allclose(
        np.exp(found), np.tile(np.bincount(IDS.codes[:, 0], minlength=3), (2, 1)), rtol=1e-5
    )


def test_a_stranger_has_no_masses_of_his_own() -> None:
    train = small_dataset()
    assert train.interactions is not None
    heard, _ = signals(train.interactions, OPTIONS)
    matrix = unpacked(counted(train, heard, OPTIONS))
    found = masses(small_requests(train, "recommend"), matrix, OPTIONS)
    assert (found[6:] == 1).all()
    assert (found >= 1).all()
    assert (found[:6].max(axis=1) > 1).all()


def test_what_is_known_weighs_in_training_as_it_does_in_answers() -> None:
    """One event after nothing, under masses that are the same for all: the loss is what the search says."""
    import torch

    train = walks(n_items=N)
    made = fitted(train, epochs=1)
    assert made.parts_ is not None
    tokenizer, prefixes = made.parts_.tokenizer, made.parts_.tokenizer.prefixes
    mass = np.random.default_rng(7).gamma(0.5, 2.0, N) + 0.1
    each = log(*[[(item, 0)] for item in range(N)], n_items=N, clock=False)
    lines = tasks.next_event(tokenizer, each, TaskOptions())
    # The last letter of a path is of one item, so sums are made of what lies below each child.
    terms = []
    for level, size in enumerate(prefixes.sizes):
        below = np.zeros((N, size), np.float16)
        for item, path in enumerate(tokenizer.ids.codes):
            inside = (tokenizer.ids.codes[:, :level] == path[:level]).all(axis=1)
            sums = np.bincount(tokenizer.ids.codes[inside, level], mass[inside], minlength=size)
            below[item] = np.log(np.maximum(sums, 1e-3))
        terms.append(below)
    known = Counted(prefixes, np.arange(N), tuple(terms))
    trainee = EventTrainee(made.parts_.decoder, lines, among_children=True, known=known)
    loss = [float(trainee.loss(np.array([row]), torch.Generator())[0].detach()) for row in range(N)]
    assert np.exp(-np.array(loss)).sum() == pytest.approx(1.0, abs=1e-2)
    stranger = requests(log([], n_items=N, clock=False))
    found = made.parts_.search.found(stranger, width=N, k=N, mass=mass[None])
    np.testing.assert_allclose(found.log_probability[0], -np.array(loss)[found.items[0]], atol=0.02)
