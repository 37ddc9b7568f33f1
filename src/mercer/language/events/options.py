"""What a person may choose about events as tokens, about the decoder, and about what it learns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mercer.contracts import Options, searched
from mercer.language.decoders.store import hash_of_named

FieldName = Literal["kind", "gap", "calendar", "amount"]
Family = Literal["gpt2", "llama", "mistral"]


class EventOptions(Options):
    """Which fields an event has beside its item. A log with items alone is the smallest case.

    Known when an answer is asked for, so before the item: kind, gap, calendar. Known afterwards: amount, and the
    hashed columns.
    """

    fields: tuple[FieldName, ...] = Field((), description="fields beside the item; their order is fixed")
    hashed: tuple[str, ...] = Field(
        (), description="columns of items or of the log (category, merchant) hashed into buckets"
    )
    gap_bins: int = Field(
        24, ge=1, le=64, description="sizes of the time between two events, each double the last"
    )
    amount_bins: int = Field(24, ge=2, le=256, description="sizes of an amount that are told apart")
    buckets: int = Field(1024, ge=2, le=65_536, description="buckets of each hashed column")
    window: int = Field(
        20, ge=1, le=4096, description="events of a history that are read; the newest are kept"
    )
    text_tokens: int = Field(
        0, ge=0, le=65_536, description="tokens of texts, learned from the catalogue's titles; 0: no texts"
    )
    longest_text: int = Field(
        32, ge=1, le=1024, description="tokens of a text that are read; the first are kept"
    )

    @model_validator(mode="after")
    def _named_once(self) -> EventOptions:
        for names in (self.fields, self.hashed):
            if len(set(names)) < len(names):
                raise ValueError(f"{', '.join(names)} names a field twice")
        if 0 < self.text_tokens < 300:
            raise ValueError("text_tokens is 0 or at least 300: bytes alone need 256")
        return self


class ShapeOptions(Options):
    """The decoder: a shape of its own, or a pretrained model of the store to start from.

    With `start`, family and sizes are the model's own, and the options of the shape are not read.
    """

    family: Family = Field("gpt2", description="architecture: gpt2, llama or mistral")
    width: int = searched(256, low=64, high=512, log=True, ge=4, le=8192, description="numbers of a state")
    layers: int = searched(4, low=2, high=8, ge=1, le=96, description="layers")
    heads: int = Field(4, ge=1, le=128, description="heads of attention; width is a multiple of it")
    inner: float = Field(4.0, gt=0, le=16, description="width inside a layer, relative to `width`")
    dropout: float = searched(
        0.1, low=0.0, high=0.5, ge=0, lt=1, description="share dropped of what enters, and of what layers add"
    )
    tied: bool = Field(True, description="whether what reads tokens and what foretells them is one matrix")
    meaning: Literal["tokens", "vectors", "items"] = Field(
        "tokens",
        description="what is known of an item beside its tokens: nothing; the vector its ID was made from; that, and a "
        "learned row of its own",
    )
    sliding: int | None = Field(
        None, ge=2, description="mistral alone: tokens that attention looks back; None: all"
    )
    start: str = Field("", description="model of the store to start from; empty: none")
    start_hash: str = Field(
        "", description="its hash; empty: what the name stands for now", validate_default=True
    )
    method: Literal["full", "lora"] = Field(
        "lora", description="with `start`: full, every weight learns; lora, small matrices and the new rows"
    )
    rank: int = Field(16, ge=1, le=1024, description="lora: width of the small matrices")
    alpha: float = Field(32.0, gt=0, description="lora: what they add is multiplied by alpha / rank")

    @field_validator("start_hash")
    @classmethod
    def _what_the_name_stands_for(cls, given: str, info: ValidationInfo) -> str:
        return given or hash_of_named(info, "start")

    @model_validator(mode="after")
    def _they_fit_together(self) -> ShapeOptions:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        if self.family != "gpt2" and (self.width // self.heads) % 2:
            raise ValueError(f"a head of {self.family} has an even width, not {self.width // self.heads}")
        if self.sliding is not None and self.family != "mistral":
            raise ValueError("sliding is an option of mistral alone")
        return self


class TaskOptions(Options):
    """How much a term of each task weighs; 0 leaves the task out. A term is one foretold token."""

    next_event: float = Field(1.0, ge=0, description="history to next event")
    text_to_item: float = Field(0.0, ge=0, description="an item's title to its ID")
    item_to_text: float = Field(0.0, ge=0, description="an item's ID to its title")
    query_to_item: float = Field(0.0, ge=0, description="a query to the item that was chosen")
    history_query_to_item: float = Field(
        0.0, ge=0, description="a history and a query to the item that was chosen"
    )
    other_fields: float = Field(
        0.2, ge=0, description="weight of an event's tokens other than its item's, relative to those"
    )
    normalised: Literal["children", "level"] = Field(
        "children",
        description="an item's token is one among those that go on from its prefix in the catalogue (children), or "
        "among all of its level",
    )
    label_smoothing: float = searched(
        0.0, low=0.0, high=0.2, ge=0, lt=1, description="share of a token's weight given to all of its field"
    )
