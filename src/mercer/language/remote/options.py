"""What a remote model is, how patiently it is asked, and what it may cost at most."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from mercer.contracts import Options
from mercer.language.remote.permission import server_of


class RemoteOptions(Options):
    """Options of a RemoteGenerator. A wrong value is refused without being quoted: it may be a secret.

    Money is in any one unit, the same in prices and in `max_money`.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    base_url: str = Field(description="the server's address up to the version, such as https://HOST/v1")
    model: str = Field(min_length=1, description="the model's name as the server knows it")
    api_key_variable: str | None = Field(
        None, description="NAME of the environment variable that holds the key; the key is written nowhere"
    )
    ca_file: Path | None = Field(None, description="certificates to trust instead of the system's, PEM")
    connect_seconds: float = Field(10, gt=0, description="longest wait for a connection")
    read_seconds: float = Field(60, gt=0, description="longest silence of the server")
    deadline_seconds: float = Field(
        300, gt=0, description="longest time of one call with its retries, without waits for the rate"
    )
    retries: int = Field(5, ge=0, le=20, description="attempts after the first where the server fails")
    invalid_retries: int = Field(
        2, ge=0, le=20, description="attempts after the first where an answer does not fit the schema"
    )
    max_concurrency: int = Field(4, ge=1, le=64, description="requests under way at once")
    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1, description="in and out together, at the worst case")
    price_in: float | None = Field(None, ge=0, description="money per million tokens in")
    price_out: float | None = Field(None, ge=0, description="money per million tokens out")
    max_requests: int | None = Field(None, ge=0, description="HTTP requests for answers, retries among them")
    max_tokens: int | None = Field(None, ge=0, description="tokens in and out together")
    max_money: float | None = Field(None, ge=0)
    structured: Literal["server", "asked"] = Field(
        "server",
        description="who holds answers to the schema: the server (response_format; asked for in the prompt once "
        "it answers 400 to it), or the prompt alone, for servers that ignore response_format",
    )
    cache: bool = Field(True, description="keep answers, so that the same question costs nothing twice")
    folder: Path | None = Field(
        None, description="where answers and the audit record live; left out: `remote` in mercer's cache"
    )

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        server_of(url)
        return url.rstrip("/")

    @field_validator("api_key_variable")
    @classmethod
    def _named(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name):
            raise ValueError("api_key_variable is the name of a variable, never the key itself")
        return name

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.max_money is not None and (self.price_in is None or self.price_out is None):
            raise ValueError("max_money needs price_in and price_out")
        return self

    def money(self, tokens_in: int, tokens_out: int) -> float:
        """What these tokens cost; 0 where no price is given."""
        return (tokens_in * (self.price_in or 0.0) + tokens_out * (self.price_out or 0.0)) / 1_000_000
