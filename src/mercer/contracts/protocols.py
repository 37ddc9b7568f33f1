"""The protocols that plug-ins implement. Small on purpose; everything else stands on them.

Plug-ins register by entry point (groups in `plugins.GROUPS`). Each kind has a reusable conformance test in
`mercer.testing`. Stability: callers stable; implementers may see new optional members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from mercer import environment
from mercer.contracts.datasets import Dataset, Holdout, Labelled, Predictions, Reason, Snapshots
from mercer.contracts.ragged import Ragged
from mercer.contracts.rankings import Floats32, Rankings
from mercer.contracts.requests import Requests


class Options(BaseModel):
    """Base of every `Options`: frozen, unknown keys refused, each field documented by its class."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Progress(Protocol):
    """Where long work reports to; a terminal bar or nothing."""

    def advance(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps are finished."""
        ...


class Silent:
    """A Progress that says nothing."""

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Ignore the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where and how to compute. Handed to every `fit`, so that a GPU or a resume changes no plug-in.

    device: cpu, cuda, cuda:1, or auto (a GPU where there is one). precision: fp32, or bf16 for what autocast allows.
    threads: left out, as `mercer.environment.threads` says.
    world_size: processes that `torchrun` started. checkpoint_folder: where an interrupted training goes on; None
    keeps nothing. price_per_hour: of this machine, in any unit of money; None claims none.
    """

    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    threads: int = field(default_factory=environment.threads)
    world_size: int = 1
    checkpoint_folder: Path | None = None
    cache_folder: Path | None = None
    progress: Progress = field(default_factory=Silent)
    price_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Wall seconds a fit may take; one that would pass it stops early and says so."""

    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a fit is expected to take."""

    seconds: float
    peak_mib: float


@runtime_checkable
class Ranker(Protocol):
    """Orders the catalogue for requests (tasks recommend and search).

    name: the model's name on the leaderboard. task: which task it serves.
    stochastic: whether the seed changes the fit. holds_users: whether it keeps per-user parameters.
    has_scores: whether `score` is implemented; without it ties are mid-ranked inside the list only.
    options: the resolved Options.
    """

    name: ClassVar[str]
    task: ClassVar[Literal["recommend", "search"]]
    stochastic: ClassVar[bool]
    holds_users: ClassVar[bool]
    has_scores: ClassVar[bool]
    options: Options

    def fit(
        self, train: Dataset, *, validation: Holdout | None, budget: Budget, seed: int, runtime: Runtime
    ) -> Self:
        """Learn from `train` alone; `validation` may only stop or select. Returns self."""
        ...

    def rank(self, requests: Requests, k: int) -> Rankings:
        """The k best eligible items of each request, rules and masking applied."""
        ...

    def score(self, requests: Requests, items: npt.NDArray[np.int32]) -> Floats32:
        """Scores of `items` (codes, shape (m,)) for each request, shape (n, m), no rule applied.

        Raises UnsupportedError where `has_scores` is False.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write weights (safetensors or a safe text format) and options into an existing folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the loaded ranker answers bit for bit as the saved one."""
        ...

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` on `train` is expected to take."""
        ...

    def parameters(self) -> list[tuple[str, str]]:
        """What mainly decides the ranking, most significant first: (name, why it matters), in plain words."""
        ...


@runtime_checkable
class ListScorer(Protocol):
    """A ranker whose `score` leaves items tied, and which gives those that it is handed a score of their own."""

    def score_listed(self, requests: Requests, items: Ragged) -> Floats32:
        """Scores of the items listed for each request, float32, shape (m,), as `items.values`, no rule applied."""
        ...


@runtime_checkable
class Policy(Protocol):
    """What serves: a distribution over rankings."""

    name: str

    def sample(
        self, requests: Requests, k: int, rng: np.random.Generator
    ) -> tuple[Rankings, npt.NDArray[np.float64]]:
        """Rankings and the propensity of each item at its place, shape (n, k), in (0, 1]."""
        ...

    def probabilities(self, requests: Requests, rankings: Rankings) -> npt.NDArray[np.float64]:
        """Propensity of each item of given rankings at its place, shape (n, k)."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """Predicts a probability or an amount for snapshots (task behavior)."""

    name: ClassVar[str]
    kinds: ClassVar[tuple[Literal["probability", "amount"], ...]]
    stochastic: ClassVar[bool]
    options: Options

    def fit(
        self, train: Labelled, *, validation: Labelled | None, budget: Budget, seed: int, runtime: Runtime
    ) -> Self:
        """Learn from `train` alone; `validation` may only stop, select or calibrate. Returns self."""
        ...

    def predict(self, snapshots: Snapshots) -> Predictions:
        """Calibrated values with 95% intervals; nothing known after as_of is read."""
        ...

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """The n strongest reasons for each prediction, strongest first."""
        ...

    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns read."""
        ...

    def save(self, folder: Path) -> None:
        """Write weights and options into an existing folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; predictions are equal bit for bit."""
        ...

    def estimate(self, train: Labelled) -> Estimate:
        """What `fit` on `train` is expected to take."""
        ...


@runtime_checkable
class UpliftPredictor(Protocol):
    """Predicts what a treatment changes; its own protocol because its labels are never observed."""

    name: ClassVar[str]

    def fit(
        self,
        train: Labelled,
        *,
        treated: npt.NDArray[np.bool_],
        propensity: npt.NDArray[np.float64],
        seed: int,
    ) -> Self:
        """Learn from outcomes under logged treatments."""
        ...

    def uplift(self, snapshots: Snapshots) -> Predictions:
        """Outcome if treated minus outcome if not."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Texts to unit vectors."""

    fingerprint: str
    dimension: int

    def encode(self, texts: Sequence[str], role: Literal["query", "passage"] = "passage") -> Floats32:
        """float32, shape (n, dimension), each row of unit length."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a text generator answered, and what it cost.

    parsed: the JSON value of `text` where a schema was given, else None. finish_reason: stop where the model
    ended, length where `max_tokens` did, schema where the text was complete, budget where money or time ran out.
    tokens_out: tokens of the answer, those that a schema forced included. cost: in the unit of the price per hour
    or per token that the generator was given; 0 where none was. fingerprint: of the model with its adapter.
    """

    text: str
    parsed: Any
    finish_reason: Literal["stop", "length", "schema", "budget"]
    tokens_in: int
    tokens_out: int
    cost: float
    fingerprint: str


@runtime_checkable
class TextGenerator(Protocol):
    """A chat model, local or remote."""

    def generate(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Generation:
        """One answer; with a schema, `parsed` is valid against it or the call raises.

        messages: role (system, user, assistant) and content; contents are data and never control the model's
        template. temperature: 0 takes the likeliest token. seed: of the sampling above 0.
        Raises UsageError for messages that can't be rendered or do not fit the window, UnsupportedError for a
        schema outside the supported subset or without any valid value.
        """
        ...


@runtime_checkable
class TokenScorer(Protocol):
    """A local decoder seen token by token."""

    def score(
        self, prompts: Sequence[str], continuations: Sequence[Sequence[str]]
    ) -> list[npt.NDArray[np.float64]]:
        """Natural logarithm of the probability of each continuation after its prompt, summed over its tokens.

        One array for each prompt, in the order of its continuations; an empty continuation has 0.0. Prompt and
        continuation are cut into tokens apart. Raises UsageError where both together pass the window.
        """
        ...

    def generate(self, prompts: Sequence[str], allowed: Iterable[Sequence[int]]) -> list[list[int]]:
        """The likeliest of the allowed token sequences for each prompt, by exact scoring.

        Probabilities of whole sequences are compared, without a token that ends them. Raises UsageError where
        none is allowed.
        """
        ...


@runtime_checkable
class Metric(Protocol):
    """A function of scored rows."""

    name: str
    higher_is_better: bool

    def __call__(self, scored: Any) -> Any:
        """A value per unit where one exists, else one value for the whole frame."""
        ...


Status = Literal["PASS", "FAIL", "NOT_APPLICABLE", "NOT_ASSESSED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a gate found. `examined` counts the things looked at; none examined is NOT_ASSESSED.

    measured, threshold: numbers or short texts. offending: pseudonymous examples, at most 20.
    because: for NOT_APPLICABLE the brief's fact that makes it so; for NOT_ASSESSED what was missing.
    """

    rule: str
    gate: str
    stage: Literal["data", "train", "evaluate", "serve"]
    status: Status
    examined: int
    measured: float | str
    threshold: float | str
    remedy: str
    because: str = ""
    target: str = ""
    offending: tuple[Mapping[str, Any], ...] = ()


@runtime_checkable
class Gate(Protocol):
    """Measures data rows, predictions or served answers; never a yes typed into a brief."""

    name: ClassVar[str]
    stage: ClassVar[Literal["data", "train", "evaluate", "serve"]]

    def check(self, evidence: Any) -> Finding:
        """Measure `evidence` (a `mercer.compliance.Evidence`)."""
        ...


@runtime_checkable
class Erasable(Protocol):
    """A store that holds personal data."""

    store: str

    def find(self, user: str) -> list[str]:
        """Where the user is found: one line a place, empty when nowhere."""
        ...

    def erase(self, user: str) -> int:
        """Remove the user; returns the number of rows removed."""
        ...


@runtime_checkable
class Candidate(Protocol):
    """A release about to be judged, as serving gates see it: the same code path the API takes."""

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        """Answers with every serving rule applied."""
        ...

    def search(self, target: str, requests: Requests, k: int) -> Rankings:
        """Answers with every serving rule applied."""
        ...

    def predict(self, target: str, snapshots: Snapshots) -> Predictions:
        """Predictions of the released model."""
        ...

    def explain(self, target: str, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """Reasons of the released model."""
        ...

    def disclosure(self, target: str) -> list[tuple[str, str]]:
        """The published main parameters of a ranking target."""
        ...
