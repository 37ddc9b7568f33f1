"""Where a training is: what a checkpoint holds beside the tensors, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from mercer.training.estimates import TrainingEstimate
from mercer.training.options import TrainingOptions
from mercer.training.record import Stopped, Validation


@dataclass(slots=True, kw_only=True)
class State:
    """Position and history. epoch, position: the next batch. epochs: how many are done, a fraction included."""

    epoch: int = 0
    position: int = 0
    epochs: float = 0.0
    tokens: int = 0
    seconds: float = 0.0
    peak_mib: float = 0.0
    checkpoints: int = 0
    losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    resumed_from: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    circumstances: dict[str, str] = field(default_factory=dict)
    estimate: TrainingEstimate | None = None
    stopped: Stopped | None = None

    @property
    def step(self) -> int:
        """Steps taken."""
        return len(self.losses)

    @property
    def best(self) -> Validation | None:
        """The best evaluation so far, the first of equals."""
        return max(self.validations, key=lambda one: one.value, default=None)

    @property
    def gained(self) -> bool:
        """Whether the last step was evaluated, and is the best so far."""
        best = self.best
        return best is not None and best.step == self.step

    def advance(self, n_batches: int, of: int, *, loss: float, rate: float, tokens: int) -> None:
        """One step over `n_batches` of the epoch's `of` batches is done."""
        self.position += n_batches
        self.losses.append(loss)
        self.learning_rates.append(rate)
        self.tokens += tokens
        if self.position >= of:
            self.epoch, self.position = self.epoch + 1, 0
        self.epochs = self.epoch + self.position / of

    def evaluation_due(self, before: float, options: TrainingOptions) -> bool:
        """Whether the step that began after `before` epochs passed a point of evaluation, or was the last."""
        passed = int(self.epochs / options.evaluate_every + 1e-9) > int(
            before / options.evaluate_every + 1e-9
        )
        return passed or self.epoch >= options.epochs

    def judge(self, value: float | None) -> None:
        """Keep the value of an evaluation after this step; None where there is no validation."""
        if value is not None:
            self.validations.append(Validation(self.step, self.epochs, value))

    def why_stop(self, options: TrainingOptions, *, hurried: bool) -> Stopped | None:
        """Why to end now, if so."""
        if self.epoch >= options.epochs:
            return "epochs"
        best = self.best
        if options.patience and best is not None:
            since = sum(one.step > best.step for one in self.validations)
            if since >= options.patience:
                return "patience"
        return "budget" if hurried else None

    def note(self, text: str) -> None:
        """Keep what a person should know, once."""
        if text not in self.notes:
            self.notes.append(text)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; floats come back bit for bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        content = dict(content)
        content["validations"] = [Validation(**one) for one in content["validations"]]
        if content["estimate"] is not None:
            content["estimate"] = TrainingEstimate(**content["estimate"])
        return cls(**content)
