"""What can be chosen of a ranker that prompts; `tune` searches the part that is declared by `searched`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from mercer.contracts import Options as BaseOptions
from mercer.contracts import searched
from mercer.errors import ConflictError, UnsupportedError, UsageError
from mercer.language.decoders import hash_of_named
from mercer.language.prompts.examples import By
from mercer.language.prompts.joining import GREATEST
from mercer.language.prompts.library import load_prompt
from mercer.language.prompts.prompt import Prompt
from mercer.training.inner import Named, new_one

MODEL = "smollm2-135m-instruct"


class PromptOptions(BaseOptions):
    """Options that rankers of both tasks share.

    Names stand for contents that may change: so the hashes of what they stand for are filled in when the options are
    made, and are a part of them.
    """

    prompt: str = Field(min_length=1, description="a prompt of mercer by name, or a file that ends in .yaml")
    prompt_hash: str = Field(
        "", validate_default=True, description="of the prompt's content; left out: of what `prompt` names now"
    )
    model: str = Field(
        MODEL, min_length=1, description="language model, by its name or hash in the model store"
    )
    model_hash: str = Field(
        "", validate_default=True, description="of the model; left out: of what `model` names now"
    )
    weights: Literal["pretrained", "random"] = Field(
        "pretrained",
        description="random: a twin with the same tokenizer and shape that has learned nothing, as a control",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="bf16 is faster, and its rounding moves scores a little"
    )
    wording: int = searched(0, choices=(0, 1, 2), ge=0, description="which of the prompt's instructions")
    per: Literal["token", "text"] = searched(
        "token",
        choices=("token", "text"),
        description="what the prompt says is divided by the tokens of the text scored, or is not",
    )
    shots: int = searched(
        0, low=0, high=4, ge=0, le=16, description="examples in the prompt, from training data"
    )
    shots_by: By = Field("random", description="examples drawn once, or those nearest to each request")
    candidates: int = searched(
        20, low=10, high=30, ge=1, le=200, description="first items of the base that are put in a new order"
    )
    weight: float | None = searched(
        None,
        choices=(None, 0.03, 0.1, 0.3, 1.0),
        ge=0,
        le=GREATEST,
        description="how much a spread of the prompt's scores counts beside the best place (1); none: chosen by "
        "held-out requests",
    )
    orders: int = Field(
        2, ge=1, le=26, description="orders in which candidates are listed, where one prompt lists them"
    )
    validation_rows: int = Field(60, ge=1, description="held-out requests that choose the weight, at most")
    calibration_rows: int = Field(20, ge=1, description="training requests that measure the scores' spread")

    @field_validator("prompt_hash")
    @classmethod
    def _hash_of_the_prompt(cls, given: str, info: ValidationInfo) -> str:
        if given or "prompt" not in info.data:
            return given
        try:
            return load_prompt(info.data["prompt"]).hash
        except UsageError as fault:
            raise ValueError(str(fault)) from fault

    @field_validator("model_hash")
    @classmethod
    def _hash_of_the_model(cls, given: str, info: ValidationInfo) -> str:
        return given or hash_of_named(info, "model")

    def the_prompt(self, task: str) -> Prompt:
        """The prompt of these options.

        Raises ConflictError where the file holds another one by now, UnsupportedError for a prompt of another task.
        """
        found = load_prompt(self.prompt)
        if found.hash != self.prompt_hash:
            raise ConflictError(
                f"The prompt {found.name} is not the one that the options were made with.",
                remedy="Leave `prompt_hash` out to take the new one.",
            )
        if found.task != task:
            raise UnsupportedError(f"{found.name} is a prompt for the task {found.task}, not {task}.")
        return found

    def moves_with_the_seed(self, base: Named) -> bool:
        """Whether the seed changes a fit."""
        return self.weights == "random" or self.shots > 0 or bool(new_one(base).stochastic)

    def holds_users(self, base: Named) -> bool:
        """Whether something of single people is kept: in the base, for no example is of one person."""
        return bool(new_one(base).holds_users)
