"""How semantic IDs are made: from which words and events, by which codebook."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from mercer.contracts import Options, searched

TextField = Literal["title", "text", "category", "brand"]
FIELDS: tuple[TextField, ...] = get_args(TextField)
"""The order in which fields are put side by side, however a person or a file lists them."""


class VectorOptions(Options):
    """What an item's vector holds. A squared distance is (1 - c) of the text's and c of the collaborative part's."""

    fields: dict[TextField, Annotated[float, Field(gt=0)]] = Field(
        {"title": 1.0, "category": 0.6},
        min_length=1,
        description="columns of the catalogue that are encoded, and the weight of each",
    )
    text_width: int = Field(128, ge=1, le=4_096, description="principal directions kept of text vectors")
    collaborative: float = searched(
        0.5, low=0.0, high=1.0, ge=0, le=1, description="share c of the collaborative part; 0: text alone"
    )
    collaborative_width: int = Field(
        64, ge=1, le=1_024, description="directions kept of what is bought near what"
    )
    window: int = Field(8, ge=1, le=100, description="events between two items that count as near, at most")
    gap_exponent: float = Field(
        0.75, ge=0, le=4, description="two events g steps apart count g to the power of minus this"
    )
    backward: float = Field(0.5, ge=0, le=1, description="weight of pairs against the order")
    shrinkage: float = Field(
        5.0,
        ge=0,
        description="events at which an item's own collaborative part counts as much as what its text foretells",
    )
    ridge: float = Field(
        10.0, gt=0, description="penalty of the regression that foretells the collaborative part from text"
    )


class CodebookOptions(Options):
    """What every codebook has."""

    levels: int = Field(3, ge=1, le=8, description="codes of an item, without the disambiguation token")
    codes: int = Field(256, ge=2, le=65_536, description="different codes of a level")


class IdOptions(Options):
    """How IDs are made. `codebook` holds options of the codebook of that kind."""

    kind: Literal["residual-kmeans", "rqvae", "random"] = Field(
        "residual-kmeans", description="the codebook; random: a control without meaning"
    )
    vectors: VectorOptions = Field(VectorOptions(), description="what an item's vector holds")
    codebook: dict[str, Any] = Field({}, description="options of the codebook that differ from its defaults")
