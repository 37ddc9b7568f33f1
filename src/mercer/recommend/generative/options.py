"""What a person may choose about the generative ranker; the defaults follow what was measured (docs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from mercer.contracts import Options, plugins, searched
from mercer.errors import nearest
from mercer.language.events import EventOptions, ShapeOptions, TaskOptions
from mercer.language.semantic_ids import IdOptions
from mercer.recommend.signals import SignalOptions
from mercer.training import TrainingOptions

NO_ENCODER = "none"

IDS = IdOptions(codebook={"levels": 2})
EVENTS = EventOptions(window=30)
SHAPE = ShapeOptions(family="llama", width=128, layers=2, heads=4, inner=2.0, dropout=0.3, meaning="vectors")
"""What was measured best on two cores; what a person gives of a part stands over these."""


def _over(default: Options) -> Callable[[Any], Any]:
    """What is not given of a part, or of a mapping in it, is as in `default`."""
    known = default.model_dump()

    def filled(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        both = {
            name for name in given if isinstance(given[name], Mapping) and isinstance(known.get(name), dict)
        }
        return {**known, **given, **{name: {**known[name], **given[name]} for name in both}}

    return filled


class GenerativeOptions(SignalOptions, TrainingOptions):
    """What is read: `kinds`, `answers`, `events`. How items are named: `encoder`, `ids`. The decoder: `shape`, `tasks`.

    How it is trained is said by the options of every neural model (mercer.training.TrainingOptions).
    """

    epochs: int = searched(8, low=3, high=40, log=True, ge=1, description="passes over the training rows")
    batch_tokens: int = Field(
        2560, ge=1, description="tokens a batch, padding counted: rows times the longest; one row at least"
    )
    learning_rate: float = searched(
        2e-3, low=3e-4, high=6e-3, log=True, gt=0, description="the highest learning rate"
    )
    weight_decay: float = Field(0.05, ge=0, description="decay of matrices a step (AdamW), per learning rate")
    average: float = Field(
        0.998, ge=0, lt=1, description="weight that the running average of the weights keeps a step; 0: off"
    )
    patience: int = Field(2, ge=0, description="evaluations without a gain that end the training; 0: never")
    answers: tuple[str, ...] = Field(
        ("purchase",), min_length=1, description="kinds of events that are to be foretold"
    )
    half_life_days: float | None = Field(
        None, gt=0, description="days after which an event weighs half in training, with a clock; None: never"
    )
    encoder: str = Field(
        "minilm", description="encoder of the catalogue's texts; none: IDs from what is bought near what"
    )
    ids: Annotated[IdOptions, BeforeValidator(_over(IDS))] = Field(
        IDS, description="how items get semantic IDs"
    )
    events: Annotated[EventOptions, BeforeValidator(_over(EVENTS))] = Field(
        EVENTS, description="fields of an event, and how many are read"
    )
    shape: Annotated[ShapeOptions, BeforeValidator(_over(SHAPE))] = Field(SHAPE, description="the decoder")
    tasks: TaskOptions = Field(TaskOptions(), description="what it learns, by weight")
    neighbours: float = searched(
        2.4,
        low=0.0,
        high=6.0,
        ge=0,
        le=20,
        description="weight of what others bought next, counted, inside every step of a path; 0: off",
    )
    factor: float | None = Field(
        None,
        gt=0,
        le=100,
        description="what `neighbours` is multiplied with in answers; None: validation chooses, 1 without it",
    )
    beams: int = Field(
        50, ge=1, le=10_000, description="beams of an answer; so many items have scores of their own"
    )
    validation_beams: int = Field(20, ge=10, le=10_000, description="beams of a held-out request")
    validation_rows: int = Field(500, ge=1, description="held-out requests that stop the training, at most")

    @model_validator(mode="after")
    def _they_fit_together(self) -> GenerativeOptions:
        missing = [kind for kind in self.answers if kind not in self.kinds]
        if missing:
            raise ValueError(
                f"answers names {missing[0]!r}, which is not in kinds. {nearest(missing[0], self.kinds)}"
            )
        if self.neighbours and self.tasks.normalised != "children":
            raise ValueError("neighbours needs tasks.normalised: children; set it to 0 without")
        if self.shape.meaning != "tokens" and self.tasks.normalised != "children":
            raise ValueError("shape.meaning needs tasks.normalised: children; set it to tokens without")
        known = (NO_ENCODER, *plugins.names(plugins.ENCODERS))
        if self.encoder not in known:
            raise ValueError(f"no encoder is called {self.encoder!r}. {nearest(self.encoder, known)}")
        return self
