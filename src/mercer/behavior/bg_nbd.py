"""`bg-nbd`: buy till you die. Purchase days as a process that may end silently, and what a purchase day is worth.

While a customer is active, purchase days come as a Poisson process whose rate is Gamma(r, alpha) among customers; after
each, the customer leaves for good with a chance that is Beta(a, b) among customers (Fader, Hardie and Lee, Marketing
Science 2005, equations 3 to 10). The value of a purchase day is Gamma with a Gamma-distributed scale (Fader and
Hardie, "The Gamma-Gamma model of monetary value", 2013), from the amounts of all purchase days, the first included.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from mercer.behavior import storage
from mercer.behavior.folds import entity_numbers
from mercer.behavior.labels import checked, in_order
from mercer.behavior.options import Kind, PredictorOptions
from mercer.behavior.probabilities import ProbabilityHead
from mercer.behavior.reasons import strongest
from mercer.behavior.scaled import ScaledAmounts
from mercer.contracts import Budget, Estimate, Labelled, Predictions, Reason, Runtime, Snapshots, searched
from mercer.errors import UsageError
from mercer.features import compute

Floats = npt.NDArray[np.float64]

LAST, FIRST, DAYS, SPEND = "days_since_purchase", "days_since_first_purchase", "purchase_days", "net_spend"
READ = (LAST, FIRST, DAYS, SPEND)

_WIDEST = 12.0
"""Parameters stay within exp(-12) and exp(12): beyond, the likelihood is flat and a search never ends."""
_PENALTY = 1e-4
_SURE = 1e-6


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters; time in the unit of what was fitted."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, x: Floats, t_x: Floats, t: Floats, *, penalty: float = 0.0) -> BgNbd:
        """Maximum likelihood. x: repeat purchases; t_x: time of the last one since the first purchase (0 without);
        t: time observed since the first purchase; shape (n,) each.

        Time is scaled to a mean of 1 and parameters are searched on a bounded logarithmic scale from several starts,
        so that the search ends on any data. penalty: ridge on the log parameters, a share of the mean likelihood.
        """
        scale = float(t.mean()) or 1.0
        rows, weight = np.unique(np.column_stack([x, t_x / scale, t / scale]), axis=0, return_counts=True)
        share = weight / weight.sum()

        def loss(log_parameters: Floats) -> float:
            mean = float(share @ _log_likelihood(np.exp(log_parameters), *rows.T))
            return -mean + penalty * float(log_parameters @ log_parameters)

        r, alpha, a, b = np.exp(
            _minimum(loss, ([0.0, 0.0, 0.0, 0.0], [-1.0, 0.0, -1.0, 1.0], [0.0, -1.0, -2.0, 0.0]))
        )
        return cls(float(r), float(alpha * scale), float(a), float(b))

    def log_likelihood(self, x: Floats, t_x: Floats, t: Floats) -> float:
        """Of all customers together (the sum of equation 6)."""
        parameters = np.array([self.r, self.alpha, self.a, self.b])
        return float(_log_likelihood(parameters, x, t_x, t).sum())

    def alive(self, x: Floats, t_x: Floats, t: Floats) -> Floats:
        """Probability of still being a customer at t, shape (n,); 1 without a repeat (equation 11 of the 2008 note)."""
        return 1.0 / (1.0 + self._odds_gone(x, t_x, t))

    def buys(self, x: Floats, t_x: Floats, t: Floats, horizon: float) -> Floats:
        """Probability of a purchase in (t, t + horizon], shape (n,): alive, and the Poisson process not silent."""
        silent = np.exp((self.r + x) * (np.log(self.alpha + t) - np.log(self.alpha + t + horizon)))
        chance: Floats = self.alive(x, t_x, t) * (1.0 - silent)
        return chance

    def expected(self, x: Floats, t_x: Floats, t: Floats, horizon: float) -> Floats:
        """Expected purchases in (t, t + horizon], shape (n,) (equation 10).

        By Euler's transformation 2F1(A, B; C; z) = (1 - z)^(C-A-B) 2F1(C-A, C-B; C; z): the published form multiplies
        a factor near 0 by a series near infinity where a customer buys often or the horizon is long. Never more than
        of somebody who is active now and never leaves.
        """
        from scipy.special import hyp2f1

        # Equation 10 has a removable singularity at a = 1.
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        c = a + self.b + x - 1
        z = horizon / (self.alpha + t + horizon)
        series = (1 - z) ** (a - 1) * hyp2f1(a + self.b - 1 - self.r, a - 1, c, z)
        alive = self.alive(x, t_x, t)
        most: Floats = alive * horizon * (self.r + x) / (self.alpha + t)
        purchases: Floats = c / (a - 1) * (1 - series) * alive
        return np.where(np.isfinite(purchases), np.clip(purchases, 0.0, most), most)

    def _odds_gone(self, x: Floats, t_x: Floats, t: Floats) -> Floats:
        with np.errstate(over="ignore"):  # who was silent for so long is gone: the odds are infinite
            ratio = np.exp((self.r + x) * (np.log(self.alpha + t) - np.log(self.alpha + t_x)))
        return np.where(x > 0, self.a / (self.b + np.maximum(x, 1) - 1) * ratio, 0.0)


def _log_likelihood(parameters: Floats, x: Floats, t_x: Floats, t: Floats) -> Floats:
    """Log-likelihood of each customer, shape (n,) (equation 6, in logarithms)."""
    from scipy.special import betaln, gammaln

    r, alpha, a, b = parameters
    same = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    active = same - (r + x) * np.log(alpha + t)
    # With x > 0: B(a + 1, b + x - 1) / B(a, b + x) = a / (b + x - 1).
    gone = same + np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    total: Floats = np.logaddexp(active, np.where(x > 0, gone, -np.inf))
    return total


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The three parameters; money in minor units."""

    p: float
    q: float
    gamma: float

    @classmethod
    def fit(cls, n: Floats, mean: Floats, *, penalty: float = 0.0) -> GammaGamma:
        """Maximum likelihood. n: purchase days, mean: their mean value, both > 0, shape (m,)."""
        scale = float(np.median(mean)) or 1.0
        value = mean / scale

        def loss(log_parameters: Floats) -> float:
            from scipy.special import gammaln

            p, q, gamma = np.exp(log_parameters)
            known = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(gamma)
            known += (p * n - 1) * np.log(value) + p * n * np.log(n) - (p * n + q) * np.log(gamma + n * value)
            return -float(known.mean()) + penalty * float(log_parameters @ log_parameters)

        p, q, gamma = np.exp(_minimum(loss, ([0.5, 1.0, 0.5], [0.0, 0.0, 0.0])))
        return cls(float(p), float(q), float(gamma * scale))

    def expected(self, n: Floats, mean: Floats) -> Floats:
        """Expected value of a purchase day, shape (m,): the customer's mean, drawn towards that of all (equation 5).

        Where nothing was bought (n = 0) it is that of all; with q <= 1 that is infinite, so q counts for 1.05 at least.
        """
        q = max(self.q, 1.05)
        return (self.gamma * self.p + self.p * n * np.where(n > 0, mean, 0.0)) / (self.p * n + q - 1)


def _minimum(loss: Any, starts: tuple[list[float], ...]) -> Floats:
    from scipy.optimize import minimize

    found = [
        minimize(loss, np.array(start), method="L-BFGS-B", bounds=[(-_WIDEST, _WIDEST)] * len(start),
                 options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8})
        for start in starts
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.fun))
    return np.asarray(best.x, np.float64)


class BgNbdPredictor:
    """Fitted to the histories alone, then calibrated to the labels of the training rows. Stability: caller stable.

    A probability is calibrated by a line on its log-odds. An amount is expected purchase days times the expected value
    of one, times one factor that makes predicted and true totals equal. An entity seen at several cuts is fitted to
    once, as of its last.
    """

    name: ClassVar[str] = "bg-nbd"
    kinds: ClassVar[tuple[Kind, ...]] = ("probability", "amount")
    stochastic: ClassVar[bool] = False

    class Options(PredictorOptions):
        """How far the model looks, and how it is held back. A target of a brief sets its own horizon."""

        horizon_days: float = Field(90.0, gt=0, description="how far the model looks ahead, days")
        penalty: float = searched(
            _PENALTY,
            low=1e-6,
            high=1e-1,
            log=True,
            ge=0,
            description="ridge on the logarithms of the parameters; keeps them finite on few customers",
        )

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or self.Options()
        self.notes: tuple[str, ...] = ()
        self._process: BgNbd | None = None
        self._value: GammaGamma | None = None
        self._head: ProbabilityHead | ScaledAmounts | None = None

    def fit(
        self,
        train: Labelled,
        *,
        validation: Labelled | None = None,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
        seed: int,  # noqa: ARG002
        runtime: Runtime,  # noqa: ARG002
    ) -> Self:
        """Learn from `train` alone; takes seconds, so no budget is watched. Raises DataError for unusable
        labels."""
        kind = checked(train, self.options.kind)
        train = in_order(train)
        frame = compute(train.snapshots)
        self._process = self._value = None
        self.notes = ("Nobody ever bought, so there is no process to fit: every row gets the average.",)
        anybody = bool((frame[DAYS] > 0).any())
        if anybody:
            self.notes = ()
            last = np.zeros(len(frame), bool)
            last[pd.Series(train.snapshots.entities).drop_duplicates(keep="last").index] = True
            self._fit_process(_known(frame[last]))
        raw = self._raw(frame, kind)
        if kind == "probability":
            head = ProbabilityHead()
            two = anybody and len(np.unique(train.outcome)) > 1
            head.calibrate(raw if two else None, train.outcome, entity_numbers(train.snapshots.entities))
            self._head = head
        else:
            self._head = ScaledAmounts.fit(raw, train.outcome)
        return self

    def _fit_process(self, known: pd.DataFrame) -> None:
        bought = known[DAYS].to_numpy() > 0
        x, t_x, t = (part[bought] for part in _clock(known))
        self._process = BgNbd.fit(x, t_x, t, penalty=self.options.penalty)
        n, mean = (part[bought] for part in _worth(known))
        paid = mean > 0
        if paid.sum() >= 3:
            self._value = GammaGamma.fit(n[paid], mean[paid], penalty=self.options.penalty)

    def predict(self, snapshots: Snapshots) -> Predictions:
        """Probabilities with the calibration's 95% interval, or amounts with conformal 95% bands, shape (n,)."""
        head = self._fitted()
        raw = self._raw(compute(snapshots), head.kind)
        return head.predict(raw[None, :] if isinstance(head, ProbabilityHead) else raw)

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """What each fact moves the model's own answer by, set one after the other in the place of the typical
        customer's: recency, frequency, time as a customer, spend."""
        head = self._fitted()
        frame = compute(snapshots)[list(READ)]
        names = READ if head.kind == "amount" else READ[:-1]
        typical = pd.DataFrame({name: np.full(len(frame), value) for name, value in self._typical().items()})
        before, parts = self._raw(typical, head.kind), []
        for name in names:
            typical = typical.assign(**{name: frame[name].to_numpy()})
            after = self._raw(typical, head.kind)
            parts.append(after - before)
            before = after
        return strongest(names, frame[list(names)].to_numpy(np.float64), np.column_stack(parts), n)

    def _typical(self) -> dict[str, float]:
        """One repeat half-way through a year, worth the value of all."""
        value = self._value.expected(np.zeros(1), np.zeros(1))[0] if self._value else 0.0
        return {LAST: 182.0, FIRST: 365.0, DAYS: 2.0, SPEND: 2.0 * float(value)}

    def feature_names(self) -> tuple[str, ...]:
        """Names of the features read."""
        return READ if self._fitted().kind == "amount" else READ[:-1]

    def save(self, folder: Path) -> None:
        """Write predictor.json."""
        head = self._fitted()
        content = {
            "options": self.options.model_dump(mode="json"),
            "kind": head.kind,
            "process": None if self._process is None else asdict(self._process),
            "value": None if self._value is None else asdict(self._value),
            "head": head.dump(),
            "notes": list(self.notes),
        }
        storage.write(folder, self.name, content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when the file is missing or damaged."""
        content = storage.read(folder, cls.name)
        with storage.damage():
            predictor = cls(cls.Options(**content["options"]))
            predictor._process = None if content["process"] is None else BgNbd(**content["process"])
            predictor._value = None if content["value"] is None else GammaGamma(**content["value"])
            head = ProbabilityHead if content["kind"] == "probability" else ScaledAmounts
            predictor._head = head.parse(content["head"])
            predictor.notes = tuple(content["notes"])
        return predictor

    def estimate(self, train: Labelled) -> Estimate:
        """Seconds and MiB of a fit: features, then a few hundred passes over the distinct customers."""
        events, rows = train.snapshots.history.n_events, len(train)
        return Estimate(0.5 + events * 1e-6 + rows * 4e-4, 100.0 + events * 300 / 2**20)

    def _raw(self, frame: pd.DataFrame, kind: Kind) -> Floats:
        """Log-odds of a purchase, or minor units, of the model before its labels are looked at."""
        if self._process is None:
            return np.zeros(len(frame))
        known = _known(frame)
        clock, horizon = _clock(known), self.options.horizon_days
        new = known[DAYS].to_numpy() == 0
        if kind == "probability":
            p = np.clip(np.where(new, 0.0, self._process.buys(*clock, horizon)), _SURE, 1 - _SURE)
            odds: Floats = np.log(p) - np.log1p(-p)
            return odds
        worth = np.ones(len(known)) if self._value is None else self._value.expected(*_worth(known))
        return np.where(new, 0.0, self._process.expected(*clock, horizon) * worth)

    def _fitted(self) -> ProbabilityHead | ScaledAmounts:
        if self._head is None:
            raise UsageError("This bg-nbd is not fitted.", remedy="Call fit, or load a fitted one.")
        return self._head


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    """READ without gaps: who never bought has 0 everywhere."""
    return frame[list(READ)].astype(np.float64).fillna(0.0)


def _clock(known: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """x, t_x and t in days."""
    x = np.maximum(known[DAYS].to_numpy() - 1, 0.0)
    t = known[FIRST].to_numpy()
    t_x = np.where(x > 0, np.maximum(t - known[LAST].to_numpy(), 0.0), 0.0)
    return x, t_x, t


def _worth(known: pd.DataFrame) -> tuple[Floats, Floats]:
    """Purchase days, and the mean net spend of one; spend below nothing is nothing."""
    n = known[DAYS].to_numpy()
    return n, np.maximum(known[SPEND].to_numpy(), 0.0) / np.maximum(n, 1.0)
