"""The contract every predictor must pass.

    class TestMyPredictor(PredictorContract):
        predictor = MyPredictor

A predictor is built as `MyPredictor(MyPredictor.Options(**options))`; override `make` where yours needs more.
Each test states one promise that evaluation, gates or serving rely on, and runs for each kind that the
predictor declares. Needs pytest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from mercer.contracts import Budget, Labelled, Predictions, Predictor, Reason, Runtime, Snapshots
from mercer.errors import MercerError, UsageError
from mercer.testing.customers import customer_log, labelled_customers, snapshots_at, with_other_future

Kind = Literal["probability", "amount"]

_DAY = 300
_LOG = customer_log()


class PredictorContract:
    """Inherit in a pytest class and name the predictor.

    options: options of the predictor under test. tells_apart: False for one that says the same of everybody, and
    so gives no reasons. tolerance: how far a prediction may lie from itself when
    the batch is cut otherwise; 0 asks for equal bits.
    Stability: callers stable; new promises may be added with a minor version.
    """

    predictor: ClassVar[Any]
    options: ClassVar[Mapping[str, Any]] = {}
    tells_apart: ClassVar[bool] = True
    tolerance: ClassVar[float] = 0.0

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test that asks for a kind once for every kind that the predictor declares."""
        if "kind" in metafunc.fixturenames:
            metafunc.parametrize("kind", metafunc.cls.predictor.kinds)

    def make(self, kind: Kind) -> Predictor:
        """A new predictor, not fitted; it is told the kind where its options have a field for it."""
        told = {"kind": kind} if "kind" in self.predictor.Options.model_fields else {}
        made: Predictor = self.predictor(self.predictor.Options(**told, **self.options))
        return made

    def fit(self, train: Labelled, kind: Kind, *, seed: int = 1, seconds: float = 60) -> Predictor:
        """A new predictor fitted on `train`."""
        return self.make(kind).fit(
            train, validation=None, budget=Budget(seconds), seed=seed, runtime=Runtime(threads=1)
        )

    def fitted(self, kind: Kind) -> Predictor:
        """The predictor fitted on the small log, once for the class and kind."""
        store: dict[Kind, Predictor] = type(self).__dict__.get("_fitted") or {}
        if kind not in store:
            store[kind] = self.fit(labelled_customers(_LOG, kind), kind)
            type(self)._fitted = store
        return store[kind]

    _fitted: ClassVar[dict[Kind, Predictor]]

    def test_is_a_predictor_with_declared_kinds(self) -> None:
        """It has every member of the protocol and declares at least one legal kind."""
        made = self.predictor()
        assert isinstance(made, Predictor)
        assert made.name
        assert set(made.kinds) <= {"probability", "amount"}
        assert made.kinds

    def test_options_round_trip_and_are_strict(self) -> None:
        """Options survive JSON, refuse unknown keys, can't be changed, and describe each field."""
        options = self.predictor.Options(**self.options)
        assert self.predictor.Options.model_validate_json(options.model_dump_json()) == options
        with pytest.raises(ValidationError):
            self.predictor.Options(no_such_option=1)
        for name in self.predictor.Options.model_fields:
            with pytest.raises(ValidationError):
                setattr(options, name, getattr(options, name))
        for name, field in self.predictor.Options.model_fields.items():
            assert field.description, f"option {name} has no description"

    def test_values_lie_in_their_bounds(self, kind: Kind) -> None:
        """Values are finite, inside their interval, and probabilities lie in [0, 1]."""
        found = self.fitted(kind).predict(_everyone())
        _check_bounds(found, kind, _LOG.n_users)

    def test_entities_are_told_apart(self, kind: Kind) -> None:
        """Not every entity gets the same value, unless the predictor says so of itself."""
        values = self.fitted(kind).predict(_everyone()).value
        assert (len(np.unique(values)) > 1) == self.tells_apart

    def test_saved_and_loaded_it_answers_bit_for_bit(self, kind: Kind, tmp_path: Path) -> None:
        """The loaded predictor equals the saved one: options, features, values and reasons."""
        fitted = self.fitted(kind)
        fitted.save(tmp_path)
        loaded = self.predictor.load(tmp_path)
        assert loaded.options == fitted.options
        assert loaded.feature_names() == fitted.feature_names()
        assert _same(loaded.predict(_everyone()), fitted.predict(_everyone()))
        assert _plain(loaded.explain(_everyone())) == _plain(fitted.explain(_everyone()))

    def test_a_missing_file_is_refused(self, kind: Kind, tmp_path: Path) -> None:
        """A folder that lacks any saved file raises an error of mercer."""
        self.fitted(kind).save(tmp_path)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files, "save wrote no file"
        for path in files:
            content = path.read_bytes()
            path.unlink()
            with pytest.raises(MercerError):
                self.predictor.load(tmp_path)
            path.write_bytes(content)

    def test_the_same_seed_gives_the_same_bytes(self, kind: Kind, tmp_path: Path) -> None:
        """Two fits with one seed save the same files."""
        train = labelled_customers(_LOG, kind)
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            self.fit(train, kind, seed=3).save(tmp_path / name)
        assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")

    def test_saved_files_hold_no_entity(self, kind: Kind, tmp_path: Path) -> None:
        """No file names an entity, so that forgetting one leaves the model as it is."""
        self.fitted(kind).save(tmp_path)
        for name, content in _bytes(tmp_path).items():
            assert b"customer-" not in content, f"{name} holds an entity's id"

    def test_the_order_of_training_rows_does_not_matter(self, kind: Kind) -> None:
        """A fit on shuffled rows predicts the same."""
        train = labelled_customers(_LOG, kind)
        shuffled = train.take(np.random.default_rng(5).permutation(len(train)))
        assert _same(self.fit(shuffled, kind).predict(_everyone()), self.fitted(kind).predict(_everyone()))

    def test_a_prediction_does_not_depend_on_its_batch(self, kind: Kind) -> None:
        """One row alone, or the rows turned round, get what they get together."""
        fitted = self.fitted(kind)
        whole = fitted.predict(_everyone())
        for row in (0, 57, _LOG.n_users - 1):
            alone = fitted.predict(_everyone().take(np.array([row])))
            assert _same(alone, whole.take(np.array([row])), self.tolerance)
        turned = np.arange(_LOG.n_users)[::-1]
        assert _same(fitted.predict(_everyone().take(turned)), whole.take(turned), self.tolerance)

    def test_another_future_changes_nothing(self, kind: Kind) -> None:
        """Histories with events known after the cut, true ones or others, must give what the cut gives."""
        fitted = self.fitted(kind)
        rows = np.arange(_LOG.n_users)
        cut = snapshots_at(_LOG, rows, _DAY)
        true = snapshots_at(_LOG, rows, _DAY, cut=False)
        other = snapshots_at(with_other_future(_LOG, _DAY), rows, _DAY, cut=False)
        assert true.history.n_events > cut.history.n_events, "the log has no future to change"
        for tempting in (true, other):
            assert _same(fitted.predict(tempting), fitted.predict(cut))
            assert _plain(fitted.explain(tempting)) == _plain(fitted.explain(cut))

    def test_another_future_changes_no_fit(self, kind: Kind) -> None:
        """Training histories that were not cut give the same predictor as cut ones."""
        train = labelled_customers(_LOG, kind)
        rows = _LOG.users.encode(train.snapshots.entities).astype(np.int64)
        uncut = replace(train, snapshots=replace(train.snapshots, history=_LOG.take(rows)))
        assert _same(self.fit(uncut, kind).predict(_everyone()), self.fitted(kind).predict(_everyone()))

    def test_reasons_are_ordered_and_read_features(self, kind: Kind) -> None:
        """At most n reasons, strongest first, about features that the predictor reads."""
        fitted = self.fitted(kind)
        reasons = fitted.explain(_everyone(), n=3)
        assert len(reasons) == _LOG.n_users
        assert any(reasons) == self.tells_apart, "no prediction has a reason"
        for row in reasons:
            assert len(row) <= 3
            sizes = [abs(reason.contribution) for reason in row]
            assert sizes == sorted(sizes, reverse=True)
            assert np.isfinite(sizes).all()
            for reason in row:
                assert reason.feature in fitted.feature_names()
                assert reason.meaning

    def test_an_empty_history_gets_an_answer(self, kind: Kind) -> None:
        """An entity that never did anything gets a value and an interval."""
        nobody = snapshots_at(_LOG, [_LOG.n_users - 1], _DAY)
        assert nobody.history.n_events == 0
        _check_bounds(self.fitted(kind).predict(nobody), kind, 1)

    def test_no_rows_give_no_answers(self, kind: Kind) -> None:
        """An empty batch gives empty answers."""
        none = _everyone().take(np.zeros(0, np.int64))
        assert len(self.fitted(kind).predict(none).value) == 0
        assert self.fitted(kind).explain(none) == []

    def test_an_unknown_item_is_no_obstacle(self, kind: Kind) -> None:
        """Items outside the vocabulary (code -1) are events like others."""
        unknown = _everyone()
        history = replace(unknown.history, item=np.full(unknown.history.n_events, -1, np.int32))
        _check_bounds(self.fitted(kind).predict(replace(unknown, history=history)), kind, _LOG.n_users)

    def test_one_entity_is_enough_to_answer(self, kind: Kind) -> None:
        """A fit on a single row still predicts."""
        train = labelled_customers(_LOG, kind).take(np.array([0]))
        _check_bounds(self.fit(train, kind).predict(_everyone()), kind, _LOG.n_users)

    def test_equal_outcomes_are_no_obstacle(self, kind: Kind) -> None:
        """Where nobody bought anything, little is predicted."""
        train = labelled_customers(_LOG, kind)
        none = self.fit(replace(train, outcome=np.zeros(len(train))), kind)
        found = none.predict(_everyone())
        _check_bounds(found, kind, _LOG.n_users)
        assert float(found.value.max()) < (0.5 if kind == "probability" else 1e-6)

    def test_no_rows_or_outcomes_that_are_no_numbers_are_refused(self, kind: Kind) -> None:
        """Labels that nothing can be learned from raise a UsageError."""
        train = labelled_customers(_LOG, kind)
        with pytest.raises(UsageError):
            self.fit(train.take(np.zeros(0, np.int64)), kind)
        for wrong in (np.nan, np.inf):
            outcome = train.outcome.copy()
            outcome[3] = wrong
            with pytest.raises(UsageError):
                self.fit(replace(train, outcome=outcome), kind)

    def test_flat_columns_with_holes_are_read(self, kind: Kind) -> None:
        """Columns of examples, where numbers may be missing or infinite and categories unseen."""
        train, flat = _flat(kind)
        fitted = self.fit(train, kind)
        assert flat.columns is not None
        odd = flat.columns.assign(channel="never seen", income=np.inf)
        for columns in (flat.columns, odd):
            _check_bounds(fitted.predict(replace(flat, columns=columns)), kind, len(flat))

    def test_inputs_are_left_as_they_were(self, kind: Kind) -> None:
        """Fitting, predicting and explaining change no array of their inputs."""
        train, everyone = labelled_customers(_LOG, kind), _everyone()
        before = _copies(train), _copies(everyone)
        fitted = self.fit(train, kind)
        fitted.predict(everyone)
        fitted.explain(everyone)
        assert _equal(before[0], _copies(train))
        assert _equal(before[1], _copies(everyone))

    def test_a_fit_without_time_still_answers(self, kind: Kind) -> None:
        """A budget that is spent at once ends the fit with a usable predictor."""
        hasty = self.fit(labelled_customers(_LOG, kind), kind, seconds=0.001)
        _check_bounds(hasty.predict(_everyone()), kind, _LOG.n_users)

    def test_an_unfitted_predictor_says_so(self, kind: Kind) -> None:
        """Predicting before a fit raises an error of mercer."""
        with pytest.raises(MercerError):
            self.make(kind).predict(_everyone())

    def test_the_estimate_is_positive(self, kind: Kind) -> None:
        """Seconds and memory of a fit are known before it."""
        found = self.make(kind).estimate(labelled_customers(_LOG, kind))
        assert found.seconds > 0
        assert found.peak_mib > 0


def _everyone() -> Snapshots:
    return snapshots_at(_LOG, np.arange(_LOG.n_users), _DAY)


def _flat(kind: Kind) -> tuple[Labelled, Snapshots]:
    """Examples without a log: numbers with holes, a category, a flag; the outcome follows the number."""
    rng = np.random.default_rng(11)
    n = _LOG.n_users
    income = rng.normal(size=n)
    columns = pd.DataFrame(
        {
            "income": np.where(rng.random(n) < 0.1, np.nan, income),
            "channel": np.array(["shop", "web", None], object)[rng.integers(3, size=n)],
            "member": rng.random(n) < 0.5,
        }
    )
    nothing = np.zeros(_LOG.n_events, bool)
    snapshots = replace(_everyone(), history=_LOG.where(nothing), columns=columns)
    outcome = (income > 0).astype(np.float64) * (1 if kind == "probability" else 5000)
    return Labelled(snapshots=snapshots, outcome=outcome, label_known_at=snapshots.as_of), snapshots


def _check_bounds(found: Predictions, kind: Kind, n: int) -> None:
    for part in (found.value, found.low, found.high):
        assert part.shape == (n,)
        assert np.isfinite(part).all()
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    assert (found.low >= 0).all()
    if kind == "probability":
        assert (found.high <= 1).all()


def _same(a: Predictions, b: Predictions, tolerance: float = 0.0) -> bool:
    pairs = ((a.value, b.value), (a.low, b.low), (a.high, b.high))
    return all(len(x) == len(y) and bool(np.all(np.abs(x - y) <= tolerance)) for x, y in pairs)


def _plain(reasons: list[list[Reason]]) -> list[list[tuple[str, str, str, float]]]:
    # A missing value is NaN, which differs from itself; its text does not.
    return [[(r.feature, r.meaning, repr(r.value), r.contribution) for r in row] for row in reasons]


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, pd.DataFrame):
        yield from (value[name].to_numpy() for name in value)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _arrays(getattr(value, field.name))


def _copies(value: Any) -> list[Any]:
    return [array.copy() for array in _arrays(value)]


def _equal(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
