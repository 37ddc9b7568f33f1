"""Which options to try next: the first ones as given, then a tree-structured Parzen estimator, never the same twice.

Optuna proposes (Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011); the same seed and the same
values give the same proposals, so a search that was killed takes the same way again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mercer.contracts import Range

STARTUP = 8
"""Random trials before the estimator has seen enough to propose."""

PATIENCE = 50
"""So many proposals in a row that were tried before mean that nothing is left to try."""

DIGITS = 4
"""Significant digits of a number that is tried: what a brief then stores is what was measured."""


class Search:
    """Options of one model, one set after the other; after each, `tell` its value before asking for the next.

    space: the searched options. first: sets to try before any proposal. A None that is told means it failed.
    """

    def __init__(
        self,
        space: Mapping[str, Range],
        *,
        higher_is_better: bool,
        seed: int,
        first: Iterable[Mapping[str, Any]],
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._first = [dict(options) for options in first]
        self._fail = optuna.trial.TrialState.FAIL
        self._distributions = {name: _distribution(one) for name, one in space.items()}
        self._study = optuna.create_study(
            direction="maximize" if higher_is_better else "minimize",
            sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True),
        )
        self._told: dict[tuple[Any, ...], float | None] = {}
        self._open: Any = None
        self._options: dict[str, Any] = {}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for options in self._first:
            if self._key(options) not in self._told:
                self._open, self._options = None, options
                yield dict(options)
        repeated = 0
        while self._space and repeated < PATIENCE:
            self._open = self._study.ask(self._distributions)
            self._options = {name: _plain(one, self._open.params[name]) for name, one in self._space.items()}
            if self._key(self._options) in self._told:
                repeated += 1
                self._answer(self._told[self._key(self._options)])
                continue
            repeated = 0
            yield dict(self._options)

    def tell(self, value: float | None) -> None:
        """The value of the set of options that came last."""
        self._told[self._key(self._options)] = value
        self._answer(value)

    def _answer(self, value: float | None) -> None:
        if self._open is not None:
            self._study.tell(self._open, value, state=self._fail if value is None else None)
            return
        if value is not None:
            import optuna

            if all(_inside(one, self._options[name]) for name, one in self._space.items()):
                params = {name: _back(one, self._options[name]) for name, one in self._space.items()}
                made = optuna.trial.create_trial(
                    params=params, distributions=self._distributions, value=value
                )
                self._study.add_trial(made)

    def _key(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(repr(options[name]) for name in self._space)


def _distribution(one: Range) -> Any:
    """As Optuna declares it; of choices, the place among them, for they may be anything."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(tuple(range(len(one.choices))))
    assert one.low is not None
    assert one.high is not None
    if one.integer:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


def _plain(one: Range, value: Any) -> Any:
    """What an option takes, from what Optuna proposes."""
    if one.choices:
        return one.choices[value]
    if one.integer:
        return int(value)
    assert one.low is not None
    assert one.high is not None
    return min(max(float(f"{value:.{DIGITS}g}"), one.low), one.high)


def _back(one: Range, value: Any) -> Any:
    """What Optuna takes, from what an option has."""
    return one.choices.index(value) if one.choices else value


def _inside(one: Range, value: Any) -> bool:
    """Whether the space holds a value; a brief may store others, which are tried and teach the estimator nothing."""
    if one.choices:
        return value in one.choices
    return value is not None and one.low is not None and one.high is not None and one.low <= value <= one.high
