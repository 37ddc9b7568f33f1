"""What the generative ranker promises: it learns an order, answers nothing that is forbidden, and reaches new items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from mercer.contracts import NO_ITEM, Budget, Context, Ragged, Requests, Runtime, Vocabulary
from mercer.errors import ConflictError, NotFoundError, UnsupportedError, UsageError
from mercer.language.decoders import import_model
from mercer.recommend.generative import Generative
from mercer.recommend.generative.counted import masses
from mercer.recommend.sequence.weighing import FACTORS
from mercer.testing.decoders import tiny_decoder
from mercer.testing.handmade import dataset, log, requests, scores
from mercer.testing.small_shop import every_row, small_dataset, small_holdout, small_requests
from mercer.training import TrainingEstimate
from recommend.generative.tiny import TINY, N, ended_by_time, fitted, walks


def circle(**changes: Any) -> Requests:
    """A request from each item of the circle, after three events."""
    rows = [[((i + 5 * place) % N, place) for place in range(3)] for i in range(N)]
    return requests(log(*rows, n_items=N, clock=False), **changes)


@pytest.fixture(scope="module")
def made() -> Generative:
    return fitted()


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
def test_it_learns_what_comes_next(family: str) -> None:
    made = fitted(shape={**TINY["shape"], "family": family}, epochs=40)
    best = made.rank(circle(), 1).items[:, 0]
    assert np.mean(best == (np.arange(N) + 15) % N) >= 0.9
    assert made.training is not None
    assert made.training.losses[-1] < made.training.losses[0]


@pytest.mark.parametrize(
    ("normalised", "neighbours", "meaning"),
    [("children", 0.0, "tokens"), ("children", 2.4, "items"), ("level", 0.0, "tokens")],
)
def test_scores_are_the_plain_decoders_log_probabilities(
    normalised: str, neighbours: float, meaning: str
) -> None:
    """Each item's path appended to the prompt and read in one piece, normalised level by level; what was counted, and
    what vectors say, stands beside the logit of every token."""
    import torch

    made = fitted(
        epochs=3,
        tasks={"normalised": normalised},
        neighbours=neighbours,
        shape={**TINY["shape"], "meaning": meaning},
    )
    parts = made.parts_
    assert parts is not None
    asked = circle().take([0, 5])
    found = scores(made, asked)
    mass = np.ones((2, N)) if made._near is None else masses(asked, made._near, made.options)
    assert (mass.max() > 1) == (neighbours > 0)
    rows, paths = parts.tokenizer.item_rows, parts.tokenizer.paths.astype(np.int64)
    with torch.inference_mode():
        for row, prompt in enumerate(parts.search.prompts(asked)):
            for item, path in enumerate(paths):
                ids = torch.from_numpy(np.concatenate([prompt, path]))[None]
                states = parts.decoder.states(ids)[0]
                total = 0.0
                for level, (start, stop) in enumerate(rows):
                    state = states[len(prompt) - 1 + level][None]
                    said = parts.decoder.logits(state, start, stop)[0].double().numpy()
                    if parts.decoder.meaning is not None:
                        node = parts.tokenizer.prefixes.depths[level].node_of
                        node = node[parts.tokenizer.prefixes.leaf[[item]]]
                        said = said + parts.decoder.meaning.foretold(state, level, node)[0].double().numpy()
                    if normalised == "children":
                        below = (paths[:, :level] == path[:level]).all(axis=1)
                        sums = np.bincount(
                            paths[below, level] - start, mass[row, below], minlength=stop - start
                        )
                        with np.errstate(divide="ignore"):
                            said = said + np.log(sums if neighbours else np.where(sums > 0, 1.0, 0.0))
                    total += said[path[level] - start] - np.logaddexp.reduce(said)
                assert found[row, item] == pytest.approx(total, abs=1e-4)
    if normalised == "children":
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, atol=1e-5)


def test_what_no_beam_reaches_is_tied_below_what_one_does(made: Generative) -> None:
    narrow = fitted(beams=4)
    asked = circle()
    found = scores(narrow, asked)
    exact = scores(made, asked)
    for row in range(N):
        ordered = np.sort(found[row])[::-1]
        assert (ordered[3] > ordered[4:]).all()
        assert len(set(ordered[4:].tolist())) == 1
        assert np.isfinite(ordered).all()
        reached = found[row] > ordered[4]
        np.testing.assert_allclose(found[row, reached], exact[row, reached], atol=1e-4)
    assert np.array_equal(narrow.rank(asked, 4).items, np.argsort(-found, axis=1, kind="stable")[:, :4])


def test_listed_items_have_their_own_scores_whatever_the_beams_and_the_rules(made: Generative) -> None:
    narrow = fitted(beams=2)
    asked = circle(repeats=False, deny=every_row([3], N), allow=every_row([1, 2, 3], N))
    listed = Ragged.from_rows([[row, 3, (row + 1) % N, (row + 7) % N][: 1 + row % 4] for row in range(N)])
    exact = scores(made, circle())
    found = narrow.score_listed(asked, listed)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact[listed.row_of, listed.values], atol=1e-4)
    none = Ragged.from_rows([[] for _ in range(N)])
    assert narrow.score_listed(asked, none).shape == (0,)
    assert narrow.score_listed(asked.take([]), none.take(np.zeros(0, np.int64))).shape == (0,)


@pytest.mark.parametrize("beams", [1, 24])
def test_nothing_forbidden_is_answered_and_lists_are_full(beams: int) -> None:
    """Rules drawn at random: the answer holds as many permitted items as there are, and no other."""
    made, chance = fitted(beams=beams), np.random.default_rng(3)
    for turn in range(12):
        size = int(chance.integers(0, N))
        rules: dict[str, Any] = {
            name: Ragged.from_rows([chance.choice(N, chance.integers(0, size + 1), replace=False) for _ in range(N)])
            for name in ("allow", "deny", "candidates") if chance.random() < 0.6
        }  # fmt: skip
        asked = circle(repeats=bool(turn % 2), **rules)
        eligible = asked.eligible()
        answer = made.rank(asked, 5)
        for row in range(N):
            got = [item for item in answer.items[row].tolist() if item != NO_ITEM]
            assert eligible[row, got].all()
            assert len(got) == min(5, int(eligible[row].sum()))
        assert np.isneginf(answer.scores[answer.items == NO_ITEM]).all()


def test_ten_thousand_answers_of_a_trained_decoder_are_all_permitted() -> None:
    """Under allow, deny, candidates and masks drawn at random; each list holds all that may be answered."""
    train, chance = small_dataset(), np.random.default_rng(11)
    made, examined = fitted(train, epochs=3, neighbours=2.4), 0
    while examined < 10_000:
        rules: dict[str, Any] = {
            name: Ragged.from_rows(
                [chance.choice(24, chance.integers(low, 25), replace=False) for _ in range(8)]
            )
            for name, low, often in (("allow", 12, 0.5), ("candidates", 16, 0.3), ("deny", 0, 0.5))
            if chance.random() < often
        }
        if "deny" in rules:
            rules["deny"] = Ragged.from_rows(
                [rules["deny"][row][: chance.integers(0, 8)] for row in range(8)]
            )
        asked = small_requests(train, "recommend", repeats=bool(chance.random() < 0.5), **rules)
        eligible, answer = asked.eligible(), made.rank(asked, 24)
        row, place = np.nonzero(answer.items != NO_ITEM)
        assert eligible[row, answer.items[row, place]].all(), "a forbidden item was generated"
        assert np.array_equal(np.bincount(row, minlength=8), eligible.sum(axis=1))
        examined += len(row)


def test_an_empty_allow_set_gets_an_empty_answer(made: Generative) -> None:
    nothing = Ragged.from_rows([[] for _ in range(N)])
    answer = made.rank(circle(allow=nothing), 3)
    assert (answer.items == NO_ITEM).all()
    assert np.isfinite(scores(made, circle(allow=nothing))).all()
    unknown = every_row([-1], N)
    assert (made.rank(circle(allow=unknown), 3).items == NO_ITEM).all()


def test_pinned_items_keep_their_own_log_probability(made: Generative) -> None:
    """Also where no beam would have reached them."""
    narrow = fitted(beams=1)
    asked = circle(pin=every_row([7, 2], N), deny=every_row([2], N))
    answer = narrow.rank(asked, 3)
    assert (answer.items[:, 0] == 7).all()
    assert not (answer.items == 2).any()
    np.testing.assert_allclose(answer.scores[:, 0], scores(made, circle())[:, 7], atol=1e-4)


def test_only_the_last_events_of_a_long_history_are_read(made: Generative) -> None:
    long = [(place * 7 % N, place) for place in range(200)]
    end = [(item, place) for place, (item, _) in enumerate(long[-8:])]
    whole, cut = scores(made, requests(log(long, end, n_items=N, clock=False)))
    np.testing.assert_allclose(whole, cut, rtol=1e-5, atol=1e-5)


def test_items_that_the_catalogue_lacks_are_skipped(made: Generative) -> None:
    known = log([(3, 0), (8, 1)], n_items=N, clock=False)
    holed = log([(3, 0), (0, 1), (8, 2), (0, 3)], n_items=N, clock=False)
    holed = replace(holed, item=np.array([3, -1, 8, N], np.int32))
    assert np.array_equal(scores(made, requests(known)), scores(made, requests(holed)))


def test_who_is_not_to_be_profiled_is_answered_from_the_start_token_alone(made: Generative) -> None:
    hidden = circle(context=replace(Context.unknown(N), objected=np.ones(N, bool)))
    stranger = requests(log(*[[]] * N, n_items=N, clock=False))
    found = scores(made, hidden)
    assert np.array_equal(found, scores(made, stranger))
    assert np.array_equal(found, np.tile(found[:1], (N, 1)))
    assert made.parts_ is not None
    assert [len(prompt) for prompt in made.parts_.search.prompts(stranger)] == [1] * N


def test_an_item_without_events_has_a_path_and_can_be_reached() -> None:
    train = walks(n_items=N + 2)
    made = fitted(train)
    asked = requests(log([(0, 0), (5, 1)], n_items=N + 2, clock=False))
    only = made.rank(replace(asked, allow=every_row([N, N + 1], 1)), 5).items[0]
    assert set(only.tolist()) == {N, N + 1, NO_ITEM}
    assert np.isfinite(scores(made, asked)).all()


def test_a_catalogue_can_grow_without_training(made: Generative) -> None:
    ids = [f"i{code}" for code in range(N + 3)]
    larger = made.grown(pd.DataFrame({"item": ids, "title": "new"}), Vocabulary(ids))
    rows = [[((i + 5 * place) % N, place) for place in range(3)] for i in range(N)]
    asked = requests(log(*rows, n_items=N + 3, clock=False))
    found = scores(larger, asked)
    assert found.shape == (N, N + 3)
    assert made.parts_ is not None
    assert larger.parts_ is not None
    old, new = (one.parts_.tokenizer.paths for one in (made, larger))
    assert np.array_equal(new[:N], old)
    # What is new takes from those that share its prefix alone.
    apart = ~(old[:, None, 0] == new[None, N:, 0]).any(axis=1)
    np.testing.assert_allclose(found[:, :N][:, apart], scores(made, circle())[:, apart], atol=1e-5)
    only = larger.rank(replace(asked, allow=every_row([N, N + 1, N + 2], N)), 3).items
    assert (np.sort(only) == np.arange(N, N + 3)).all()
    with pytest.raises(ConflictError, match="fit again"):
        made.grown(pd.DataFrame({"item": ids[::-1]}), Vocabulary(ids[::-1]))


def test_a_grown_ranker_is_saved_whole(made: Generative, tmp_path: Path) -> None:
    ids = [f"i{code}" for code in range(N + 1)]
    larger = made.grown(pd.DataFrame({"item": ids}), Vocabulary(ids))
    larger.save(tmp_path)
    asked = requests(log([(0, 0), (5, 1)], n_items=N + 1, clock=False))
    assert np.array_equal(scores(larger, asked), scores(Generative.load(tmp_path), asked))


def test_without_anything_to_foretell_answers_follow_popularity() -> None:
    made = fitted(small_dataset(empty=True))
    assert made.training is None
    assert "popularity" in made.notes[0]
    views = fitted(dataset(log([(1, 0, 0)], [(1, 0, 0)], n_items=4)))
    assert views.training is None


@pytest.mark.parametrize("repeats", [True, False])
def test_a_catalogue_of_one_item_is_answered_with_it(repeats: bool) -> None:
    train = dataset(log(*[[(0, 0), (0, 1), (0, 2)]] * 5, n_items=1), repeats=repeats)
    made = fitted(train)
    assert made.rank(requests(log([], n_items=1)), 1).items.tolist() == [[0]]
    assert np.isfinite(scores(made, requests(log([(0, 0)], n_items=1)))).all()


def test_what_was_had_before_is_read_and_never_foretold_where_repeats_are_unwanted() -> None:
    from mercer.recommend.generative.lessons import asked
    from mercer.recommend.signals import signals

    heard, weights = signals(log([(0, 0), (1, 1), (0, 2)], n_items=2), Generative.Options())
    found = asked(heard, weights, Generative.Options(), repeats=False)
    assert found.tolist() == [1.0, 1.0, 0.0]
    assert asked(heard, weights, Generative.Options(), repeats=True).tolist() == [1.0, 1.0, 1.0]


def test_validation_by_beams_stops_the_training() -> None:
    train = small_dataset()
    made = Generative(Generative.Options(**{**TINY, "epochs": 50, "patience": 2}))
    made.fit(train, validation=small_holdout(train, "recommend"), seed=1, runtime=Runtime(threads=1))
    record = made.training
    assert record is not None
    assert record.stopped_because == "patience"
    assert record.best is not None
    assert record.best_step == record.best.step
    assert all(0 <= one.value <= 1 for one in record.validations)


def test_validation_chooses_how_much_counts_weigh_in_answers() -> None:
    train = small_dataset()
    held = small_holdout(train, "recommend")
    quick = {**TINY, "epochs": 1, "neighbours": 2.4}
    made = Generative(Generative.Options(**quick)).fit(
        train, validation=held, seed=1, runtime=Runtime(threads=1)
    )
    assert made.chosen["factor"] in FACTORS
    again = Generative(Generative.Options(**quick, **made.chosen))
    again.fit(train, validation=held, seed=1, runtime=Runtime(threads=1))
    asked = small_requests(train, "recommend")
    assert np.array_equal(scores(made, asked), scores(again, asked))
    assert Generative(Generative.Options(**quick)).fit(train, seed=1).chosen == {"factor": 1.0}


def test_what_is_not_given_of_a_part_is_as_it_was_measured_best() -> None:
    made = Generative.Options(shape={"family": "gpt2"}, events={"fields": ["gap"]}, ids={"kind": "random"})
    whole = Generative.Options()
    assert (made.shape.width, made.shape.layers) == (whole.shape.width, whole.shape.layers)
    assert made.events.window == whole.events.window
    assert made.ids.codebook == whole.ids.codebook
    assert Generative.Options(**made.model_dump(mode="json")) == made


def test_a_spent_budget_keeps_what_was_done_and_the_next_fit_goes_on(tmp_path: Path) -> None:
    options, runtime, short = ended_by_time(tmp_path / "kept", epochs=8)
    assert any("ended it after" in note for note in short.notes)
    assert (short.rank(circle(), 3).items != NO_ITEM).all()
    resumed = Generative(options).fit(walks(), seed=1, runtime=runtime)
    whole = Generative(options).fit(walks(), seed=1, runtime=Runtime(threads=1))
    assert resumed.training is not None
    assert resumed.training.resumed_from
    assert np.array_equal(scores(resumed, circle()), scores(whole, circle()))


def test_a_checkpoint_of_other_options_is_refused(tmp_path: Path) -> None:
    runtime = Runtime(threads=1, checkpoint_folder=tmp_path / "kept")
    Generative(Generative.Options(**{**TINY, "epochs": 2})).fit(walks(), seed=1, runtime=runtime)
    other = Generative(Generative.Options(**{**TINY, "epochs": 2, "ids": {"kind": "random"}}))
    with pytest.raises(ConflictError):
        other.fit(walks(), seed=1, runtime=runtime)


def test_the_price_is_measured_in_its_own_steps() -> None:
    made = Generative(Generative.Options(**TINY))
    found = made.estimate(small_dataset())
    assert isinstance(found, TrainingEstimate)
    assert found.seconds > 0
    assert found.epochs == TINY["epochs"]


def test_notes_say_what_the_ids_are_like_and_how_many_tokens_there_are(made: Generative) -> None:
    said = " ".join(made.notes)
    for part in ("collisions", "perplexity", "tokens", "weights"):
        assert part in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answers": ("cart",)}, "not in kinds"),
        ({"encoder": "minilmm"}, "Did you mean 'minilm'"),
        ({"beams": 0}, "beams"),
        ({"tasks": {"normalised": "level"}}, "neighbours needs"),
        ({"shape": {"width": 10, "heads": 4}}, "no multiple"),
        ({"ids": {"kind": "hash"}}, "kind"),
        ({"events": {"window": 0}}, "window"),
    ],
)
def test_wrong_options_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Generative.Options(**changes)


def test_no_place_is_no_answer(made: Generative) -> None:
    with pytest.raises(UsageError, match="k is 0"):
        made.rank(circle(), 0)


@pytest.mark.parametrize("name", ["fusion", "two-stage-sequence"])
def test_other_rankers_can_hold_it(name: str, tmp_path: Path) -> None:
    from mercer.contracts import plugins

    inner = {"generative": {**TINY, "epochs": 2}}
    cls = plugins.load(plugins.RANKERS, name)
    given = {"members": {"item-knn": {}, **inner}} if name == "fusion" else {"sequence": inner}
    train = small_dataset()
    made = cls(cls.Options(**given)).fit(
        train,
        validation=small_holdout(train, "recommend"),
        budget=Budget(120),
        seed=1,
        runtime=Runtime(threads=1),
    )
    assert made.stochastic
    assert not made.holds_users
    assert made.training is not None
    asked = small_requests(train, "recommend")
    made.save(tmp_path)
    assert np.array_equal(made.rank(asked, 5).items, cls.load(tmp_path).rank(asked, 5).items)


def test_the_two_stage_ranker_hears_a_score_of_every_candidate() -> None:
    """Beams reach two items; the others that neighbours and popularity name are scored all the same."""
    from mercer.recommend.two_stage import TwoStageSequence

    train = walks()
    options = TwoStageSequence.Options(sequence={"generative": {**TINY, "epochs": 2, "beams": 2}}, text=False)
    made = TwoStageSequence(options).fit(train, budget=Budget(120), seed=1, runtime=Runtime(threads=1))
    inner = made._known.sequence
    assert isinstance(inner, Generative)
    asked = made._asked(circle(), made._known)
    assert asked.sequence is not None
    exact = Generative(inner.options.model_copy(update={"beams": N}))
    exact._catalogue, exact.parts_, exact.state = inner._catalogue, inner.parts_, inner.state
    heard, wanted_ = asked.sequence.ravel()[asked.pool.cell], scores(exact, circle()).ravel()[asked.pool.cell]
    assert asked.pool.sizes.min() > 2
    np.testing.assert_allclose(heard, wanted_, atol=1e-4)


def wanted(**changes: Any) -> Any:
    """The small shop with what was chosen after each of three queries."""
    train = small_dataset()
    requests_ = pd.DataFrame(
        {
            "request": ["a", "b", "c", "d"],
            "query": ["blue mug", "red lamp", " ", "scarf"],
            "user": ["person-01", None, "person-02", "nobody"],
            "time": pd.to_datetime(["2026-08-01", "2026-08-02", "2026-08-03", "2026-08-04"]),
        }
    )
    outcomes = pd.DataFrame(
        {
            "request": ["a", "b", "c", "d", "d"],
            "item": ["mug-blue", "lamp-red", "mug-red", "scarf-red", "gone"],
        }
    )
    return replace(train, requests=requests_, outcomes=outcomes, **changes)


def test_titles_and_queries_can_be_learned_beside_histories() -> None:
    made = fitted(
        wanted(),
        epochs=1,
        events={"window": 6, "text_tokens": 300, "longest_text": 8},
        tasks={"text_to_item": 0.5, "item_to_text": 0.2, "query_to_item": 0.5, "history_query_to_item": 0.5},
    )
    assert made.training is not None
    # Titles both ways; three queries that were sent and three that were judged; those that were sent after a history.
    assert made.training.rows >= 24 + 24 + 6 + 3


def test_a_task_that_needs_texts_is_refused_without_them() -> None:
    with pytest.raises(UnsupportedError, match="no tokens for texts"):
        fitted(wanted(), tasks={"query_to_item": 1.0})


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_model_of_the_store_goes_on_with_items(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its words stay, paths are added; what is saved of a lora needs the model in the store again."""
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "models"))
    source = tmp_path / "tiny"
    below = tiny_decoder("llama")
    below.model.save_pretrained(source)
    below.tokenizer.save_pretrained(source)
    import_model(str(source), name="tiny")
    made = fitted(
        small_dataset(),
        epochs=2,
        shape={"start": "tiny", "method": method, "rank": 4},
        events={"window": 4, "longest_text": 8},
        tasks={"text_to_item": 0.5},
        neighbours=2.4,
    )
    asked = small_requests(small_dataset(), "recommend")
    assert (made.rank(asked, 5).items != NO_ITEM).all()
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    assert np.array_equal(scores(made, asked), scores(Generative.load(tmp_path / "saved"), asked))
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "none"))
    if method == "lora":
        with pytest.raises(NotFoundError):
            Generative.load(tmp_path / "saved")
