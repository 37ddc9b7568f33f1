"""`logistic-regression`: a line on the log-odds, on features that were made fit for one.

Counts and amounts are skewed, so numbers are put on a logarithmic scale that keeps their sign, then standardised;
what is missing counts as the average and has a column of its own; categories are columns of 0 and 1.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from mercer.behavior.calibration import log_odds
from mercer.behavior.matrix import Encoding
from mercer.behavior.members import Arrays, MemberPredictor
from mercer.contracts import searched

Floats = npt.NDArray[np.float64]

_WIDEST = 6.0
"""No standardised number counts for more: a line follows outliers anywhere."""


class LogisticRegression(MemberPredictor):
    """Ridge-penalised logistic regression (scikit-learn's solver). Stability: caller stable."""

    name = "logistic-regression"
    stochastic = False
    cost: ClassVar[float] = 2e-5

    class Options(MemberPredictor.Options):
        """How strongly the line is held back."""

        inverse_penalty: float = searched(
            0.1, low=1e-4, high=100.0, log=True, gt=0, description="C: smaller holds coefficients nearer to 0"
        )
        compress: bool = searched(
            True,
            choices=(True, False),
            description="put numbers on a logarithmic scale that keeps their sign",
        )

    options: Options

    def learn(
        self,
        matrix: Floats,
        outcome: Floats,
        encoding: Encoding,
        seed: int,  # noqa: ARG002 - the solver draws nothing
        threads: int,  # noqa: ARG002
    ) -> Arrays:
        """Centre, scale and coefficients; `owner` says which column of the matrix each coefficient belongs to."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression as Solver

        sizes = np.array([len(encoding.categories.get(name, ())) for name in encoding.names], np.int64)
        squeezed = self._squeezed(matrix)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a column without any number has no mean
            centre, scale = np.nanmean(squeezed, axis=0), np.nanstd(squeezed, axis=0)
        shape = {
            "sizes": sizes,
            "centre": np.nan_to_num(centre),
            "scale": np.where(np.nan_to_num(scale) > 1e-12, scale, 1.0),
        }
        design, owner = self._design(shape, matrix)
        solver = Solver(C=self.options.inverse_penalty, max_iter=1000, tol=1e-6)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            solver.fit(design, outcome.astype(np.int64))
        return {
            **shape,
            "owner": owner,
            "coefficients": solver.coef_[0].astype(np.float64),
            "intercept": solver.intercept_.astype(np.float64),
            "average": design.mean(axis=0),
            "base": np.array([log_odds(float(np.clip(outcome.mean(), 1e-6, 1 - 1e-6)))]),
        }

    def raw(self, member: Arrays, matrix: Floats) -> Floats:
        """Log-odds. Summed column by column, so that a row's bits don't depend on the batch."""
        design, _ = self._design(member, matrix)
        score: Floats = np.full(len(matrix), member["intercept"][0])
        for at, coefficient in enumerate(member["coefficients"]):
            score += design[:, at] * coefficient
        return score

    def parts(self, member: Arrays, matrix: Floats) -> Floats:
        """Coefficient times distance from the average of the training rows, by column of the matrix."""
        design, owner = self._design(member, matrix)
        out = np.zeros(matrix.shape)
        for at, column in enumerate(owner):
            out[:, column] += (design[:, at] - member["average"][at]) * member["coefficients"][at]
        return out

    def _squeezed(self, values: Floats) -> Floats:
        if not self.options.compress:
            return values
        squeezed: Floats = np.sign(values) * np.log1p(np.abs(values))
        return squeezed

    def _design(self, shape: Arrays, matrix: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        """(n, D): a number and whether it is missing, or a column a category; and the owner of each, shape (D,)."""
        columns: list[npt.NDArray[Any]] = []
        owner: list[int] = []
        for at, size in enumerate(shape["sizes"]):
            column = matrix[:, at]
            if size:
                columns += [(column == code).astype(np.float64) for code in range(size)]
                owner += [at] * int(size)
                continue
            missing = np.isnan(column)
            standard = (self._squeezed(column) - shape["centre"][at]) / shape["scale"][at]
            columns += [
                np.clip(np.where(missing, 0.0, standard), -_WIDEST, _WIDEST),
                missing.astype(np.float64),
            ]
            owner += [at, at]
        return np.column_stack(columns), np.array(owner, np.int64)
