"""The brief: a business question, its data, the law it falls under and what counts as a win.

One pydantic model composed of one sub-model per room. `Brief.load` reads YAML; an unknown key or a wrong
type is a BriefError naming file, field and the nearest valid name. A brief that was loaded has every default
visible.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from mercer.errors import BriefError, nearest

SCHEMA = 1

Task = Literal["recommend", "search", "behavior"]
Jurisdiction = Literal["EU", "UK", "US", "US-CA", "US-CO", "US-NY", "global"]


class Part(BaseModel):
    """Base of every sub-model: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, validate_default=True)


class Gain(Part):
    """The least difference worth acting on."""

    relative: float | None = Field(None, description="least relative gain, 0.02 is 2 %")
    absolute: float | None = Field(None, description="least absolute gain on the metric's scale")


class Guardrail(Part):
    """A metric that must not fall under `min` or rise over `max`."""

    metric: str
    min: float | None = None
    max: float | None = None


class Decision(Part):
    """What is to be decided, when, on which metric and against whom."""

    day: date = Field(alias="date", description="the day the decision is taken; nothing later is known")
    target: str = Field(description="the target that decides")
    metric: str = Field("ndcg@10", description="the metric that decides")
    against: str = Field("most-popular", description="the opponent: a model's name, or `incumbent`")
    least_gain: Gain = Gain(relative=0.0)
    guardrails: list[Guardrail] = []


class Source(Part):
    """One table: where it is and which of its columns mean what.

    map: canonical column -> column of the source. The canonical columns are in the reference of tables.
    """

    source: str = Field(
        description="file in the data folder, beside the brief, or a database URL; ${NAME} in it is a variable"
    )
    query: str | None = Field(None, description="SQL, for a database URL")
    map: dict[str, str] = Field({}, description="canonical name -> name in the source; left out: equal names")
    delimiter: str | None = Field(None, description="CSV delimiter; left out: detected")
    encoding: str = Field(
        "utf-8", description="CSV encoding; what is not UTF-8 after all is told by its content"
    )
    decimal: str = Field(
        ".", description="decimal mark in CSV; a column whose numbers show another is read by that"
    )
    thousands: str | None = Field(
        None, description="mark between thousands, such as `,`; left out: what the column shows"
    )
    day_first: bool | None = Field(
        None, description="03/04/2026 is in April; left out: what the column shows, or ingest stops"
    )
    timezone: str | None = Field(None, description="zone of times that carry none; needed if they don't")
    currency: str | None = Field(None, description="ISO code when the table has no currency column")
    kind: str | None = Field(None, description="event kind when the table has no kind column")
    label: str | None = Field(None, description="label column of flat examples")
    positive: str | None = Field(
        None, description="examples: the label that counts as yes; left out: the label must spell yes or no"
    )

    @field_validator("positive", mode="before")
    @classmethod
    def _spelled(cls, positive: object) -> object:
        """As the file spells it: YAML reads 1 and true where a CSV file has text."""
        return str(positive) if isinstance(positive, bool | int | float) else positive

    @field_validator("source")
    @classmethod
    def _secret(cls, source: str) -> str:
        """A brief is copied, hashed and printed: a password belongs in a variable."""
        user, at, _ = source.partition("://")[2].rpartition("@")
        written = [user.partition(":")[2]] if at else []
        written += re.findall(r"[?&](?:ssl)?password=([^&]*)", source)
        if any(word and not re.fullmatch(r"(?:\$\{\w+\})+", word) for word in written):
            raise ValueError(
                "a source's URL holds a password. Write ${NAME} there, and set the variable NAME."
            )
        return source

    @property
    def has_clock(self) -> bool:
        """Whether the table says when things happened, and not only in which order."""
        return "order" not in self.map


class Data(Part):
    """The sources. `simulate` makes the shop whose truth is known instead of reading files."""

    simulate: dict[str, Any] | None = Field(None, description="options of the simulated shop")
    events: Source | None = None
    items: Source | None = None
    users: Source | None = None
    consents: Source | None = None
    requests: Source | None = None
    impressions: Source | None = None
    outcomes: Source | None = None
    treatments: Source | None = None
    judgments: Source | None = None
    payments: Source | None = None
    examples: Source | None = None
    incumbent: Source | None = Field(
        None,
        description="what the business used until now for the target that decides: rankings (unit, item, rank or "
        "score), or scores of a behavior target (unit, value, as_of)",
    )
    incumbents: dict[str, Source] = Field({}, description="the same for other targets, by target")
    rules_off: list[str] = Field([], description="names of cleaning rules to switch off")
    rules_on: list[str] = Field([], description="names of cleaning rules to switch on that are off otherwise")

    @field_validator("simulate")
    @classmethod
    def _plain(cls, options: dict[str, Any] | None) -> dict[str, Any] | None:
        """As a dumped brief holds them: YAML reads dates where the dump has text."""
        plain: dict[str, Any] | None = json.loads(json.dumps(options, default=str))
        return plain

    @property
    def sources(self) -> dict[str, Source]:
        """The canonical tables that have a source, by name."""
        return {n: s for n in _TABLE_FIELDS if (s := getattr(self, n)) is not None}


_TABLE_FIELDS = (
    "events", "items", "users", "consents", "requests", "impressions", "outcomes", "treatments", "judgments",
    "payments", "examples",
)  # fmt: skip


class ColumnNote(Part):
    """An entry of the data dictionary."""

    means: str = ""
    purposes: list[str] | None = Field(None, description="purposes it may serve; left out: the brief's")
    protected: bool = Field(False, description="a protected attribute: for audits only, never a feature")
    type: Literal["number", "boolean", "category"] | None = Field(
        None, description="examples: what its values are; left out: told by them"
    )


class Split(Part):
    """How a target's data are divided. Cuts are on `known_at`."""

    kind: Literal["temporal", "leave-last-out", "rolling", "folds"] = "temporal"
    test_from: date | None = Field(
        None, description="temporal: first day of the test; left out: last 20 % of time"
    )
    validation_days: int = Field(
        28, ge=1, description="temporal: days before the test held out for validation"
    )
    test_days: int | None = Field(None, ge=1, description="temporal: days of test; left out: to the end")
    folds: int = Field(5, ge=2)
    repeats: int = Field(1, ge=1)
    by: str = Field("unit", description="folds: what is kept together (query, user, unit)")


class Tuning(Part):
    """The budget of tuning, the same for every model; the first limit reached ends it. `run` never tunes."""

    trials: int = Field(20, ge=1)
    seconds: float = Field(600, gt=0)


class Tuned(Part):
    """What the search for a model's options cost. Written by `mercer tune`, beside the options that it found."""

    trials: int = Field(ge=1, description="how many option sets were tried, the defaults among them")
    seconds: float = Field(ge=0, description="wall seconds that these trials took")
    budget: Tuning = Field(description="what the search was allowed; the first limit reached ended it")
    ended: Literal["trials", "seconds", "exhausted", "failing", "interrupted"] = Field(
        description="what ended it: a limit, nothing left to try, nothing but failures, or the keyboard"
    )
    data: str = Field(description="start of the hash of the cleaned data that were searched on")
    options: str = Field(description="hash of the options it ended with; for others the search says nothing")


class TargetBase(Part):
    """What every target says: which models compete and on which metric the selection is made."""

    models: list[str] | Literal["auto"] = "auto"
    metric: str | None = Field(None, description="selection metric; left out: the task's default")
    options: dict[str, dict[str, Any]] = Field({}, description="options by model, as `tune` writes them")
    tuned: dict[str, Tuned] = Field({}, description="by model: what `tune` spent on its options")


class RecommendTarget(TargetBase):
    """Next items for a user."""

    task: Literal["recommend"]
    repeats: bool = Field(
        True, description="may an item that the person has an event of `kinds` with be the answer"
    )
    kinds: list[str] = Field(["purchase"], description="event kinds that count as relevant")
    split: Split = Split()
    fallback: str | None = Field(
        None,
        description="one of the models: it is released beside the selected one, and answers where that is late",
    )

    @model_validator(mode="after")
    def _the_fallback_competes(self) -> RecommendTarget:
        if self.fallback is not None and self.models != "auto" and self.fallback not in self.models:
            raise ValueError(
                f"fallback {self.fallback!r} is not among the models. {nearest(self.fallback, self.models)}"
            )
        return self


class SearchTarget(TargetBase):
    """Items for a query."""

    task: Literal["search"]
    split: Split = Split(kind="folds", by="query")


class BehaviorTarget(TargetBase):
    """A probability or an amount for an entity as of a time."""

    task: Literal["behavior"]
    kind: Literal["probability", "amount"] = "probability"
    label: Literal["events", "examples", "payments"] = "events"
    event: str = Field(
        "purchase",
        validation_alias=AliasChoices("event", "of"),
        description="event kind whose occurrence or amount is predicted; `of` for an amount",
    )
    net: bool = Field(True, description="amount: net of returns known by the decision date")
    entity: Literal["user", "payer", "payee"] = "user"
    horizon_days: int = Field(90, ge=1)
    origins: list[date] = Field([], description="test cut-offs; left out: the last that the data allow")
    label_delay_days: int = Field(0, ge=0, description="days until a label is known")
    effect: Literal["none", "fraud", "credit", "significant"] = Field("none", description="which law applies")
    capacity_per_day: int = Field(0, ge=0, description="how many of the highest risks become cases")
    adverse: Literal["high", "low"] = Field("low", description="which end of the score is a risk")
    split: Split = Split()
    exclude_columns: list[str] = []
    train_days: int | None = None
    test_days: int | None = None
    exclude: Literal["none", "known-positive-entities"] = "none"


Target = Annotated[Union[RecommendTarget, SearchTarget, BehaviorTarget], Field(discriminator="task")]  # noqa: UP007


class Value(Part):
    """Money facts. Absent: no money is claimed."""

    margin: float = Field(gt=0, le=1, description="margin on net spend")
    contact_cost: float = Field(0.0, ge=0, description="cost of contacting one customer, major units")


class Fit(Part):
    """Limits of a fit, the seeds of stochastic models, and what is fitted again on train and validation."""

    seconds: float = Field(3600, gt=0, description="most that a fit may take")
    money: float | None = Field(
        None,
        gt=0,
        description="most that a fit may cost, at the price of an hour of the machine (MERCER_PRICE_PER_HOUR)",
    )
    seeds: list[int] = Field(
        [1],
        min_length=1,
        description="stochastic models are fitted once a seed and averaged; the first ships",
    )
    refit: bool | list[str] = Field(
        False,
        description="rankers: fit the selected model (true), and those named, on train and validation too, "
        "in rows of their own",
    )

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("fit.seeds names a seed twice")
        return seeds


class Governance(Part):
    """Model risk: how material, who owns it and who validates it."""

    tier: Literal["material", "moderate", "low"] = "moderate"
    owner_role: str = ""
    validator_role: str = ""
    attestations: dict[str, str] = Field(
        {}, description="rule -> reference of a document only a person can attest"
    )


class Acceptance(Part):
    """A rule that could not be assessed, accepted by a role, for a reason, until a day. A FAIL never is."""

    rule: str
    role: str
    reason: str
    until: date


class RemoteModel(Part):
    """Whether and what data may leave this machine for a language model on a server. Nothing, unless allowed."""

    allowed: bool = Field(False, description="whether anything may leave; needs every key below")
    base_url: str | None = Field(None, description="the only server it may go to, https")
    purposes: list[str] = Field([], description="what it may be sent for; each is a purpose of the brief")
    fields: list[str] = Field(
        [], description="what may be in a prompt, as `table.column`; never a protected column"
    )
    role: str = Field("", description="the role that allows it; never a person's name")
    reason: str = Field("", description="the document it rests on, such as the contract with the processor")
    until: date | None = Field(None, description="the last day on which it is allowed")

    @model_validator(mode="after")
    def _whole(self) -> RemoteModel:
        for key in ("base_url", "purposes", "fields", "role", "reason", "until"):
            if self.allowed and not getattr(self, key):
                raise ValueError(f"language.remote.allowed needs language.remote.{key}")
        address = r"https://([^/@?#:\[\]\s]+|\[[0-9A-Fa-f:.]+\])(:\d{1,4}|:[1-5]\d{4})?(/[^@?#\s]*)?"
        if self.base_url is not None and not re.fullmatch(address, self.base_url):
            raise ValueError(
                "language.remote.base_url must be https://HOST/PATH, without user, password and query"
            )
        for name in self.fields:
            table, dot, column = name.partition(".")
            if table not in _TABLE_FIELDS or not dot or not column:
                raise ValueError(
                    f"language.remote.fields: {name!r} is no `table.column`. {nearest(table, _TABLE_FIELDS)}"
                )
        return self


class Language(Part):
    """Where language models run."""

    remote: RemoteModel = Field(RemoteModel(), description="models on a server; default: no data leave")


class Brief(Part):
    """The whole brief."""

    schema_: int = Field(SCHEMA, alias="schema", description="version of the brief's form")
    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="lower case letters, digits and dashes"
    )
    question: str = Field(description="the business question, as a person would ask it")
    owner_role: str = Field("owner", description="the role that decides; never a person's name")
    decision: Decision = Field(description="what is to be decided")
    data: Data = Field(description="where the tables are")
    columns: dict[str, ColumnNote] = Field(
        {}, description="the data dictionary: column -> what it means and may serve"
    )
    jurisdictions: list[Jurisdiction] = Field(["EU"], min_length=1, description="whose law binds")
    packs_date: date = Field(
        default_factory=lambda: datetime.now().astimezone().date(),
        description="the day whose law is in force for this decision",
    )
    purposes: list[str] = Field(
        ["recommendation", "analytics"], description="what columns that say nothing else may serve"
    )
    governance: Governance = Field(Governance(), description="who owns and who validates the models")
    targets: dict[str, Target] = Field(min_length=1, description="what is to be predicted, by name")
    value: Value | None = Field(None, description="money facts; absent: no money is claimed")
    tuning: Tuning = Field(Tuning(), description="the budget of tuning, the same for every model")
    fit: Fit = Field(Fit(), description="limits of a fit, and seeds")
    accept: list[Acceptance] = Field(
        [], description="rules that can't be assessed, accepted by role until a day"
    )
    language: Language = Field(
        Language(), description="language models on a server: which data may leave this machine"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Brief:
        if self.schema_ != SCHEMA:
            raise ValueError(f"schema {self.schema_} is not known; this mercer reads schema {SCHEMA}")
        if self.decision.target not in self.targets:
            hint = nearest(self.decision.target, self.targets)
            raise ValueError(f"decision.target {self.decision.target!r} is no target. {hint}")
        for name in self.data.incumbents:
            if name not in self.targets:
                raise ValueError(f"data.incumbents: {name!r} is no target. {nearest(name, self.targets)}")
        if self.data.incumbent is not None and self.decision.target in self.data.incumbents:
            raise ValueError(
                f"data.incumbent and data.incumbents both answer {self.decision.target!r}; give one of them"
            )
        if self.data.simulate is None and not self.data.sources:
            raise ValueError("data names no source; give data.events, data.items, ... or data.simulate")
        return self

    @model_validator(mode="after")
    def _leave(self) -> Brief:
        """What may leave serves a purpose of the brief and of its column, and is no protected attribute."""
        remote = self.language.remote
        for purpose in remote.purposes:
            if purpose not in self.purposes:
                raise ValueError(
                    f"language.remote.purposes: {purpose!r} is no purpose of the brief. "
                    f"{nearest(purpose, self.purposes)}"
                )
        for name in remote.fields:
            column = name.partition(".")[2]
            note = self.columns.get(column, ColumnNote())
            if note.protected:
                raise ValueError(f"language.remote.fields: {name!r} is protected and may not leave")
            if note.purposes is not None and not set(remote.purposes) <= set(note.purposes):
                raise ValueError(
                    f"language.remote.fields: {name!r} serves only {', '.join(note.purposes) or 'nothing'}"
                )
        return self

    @classmethod
    def load(cls, path: Path | str) -> Brief:
        """Read a YAML file. Raises BriefError naming file, field and what is valid there."""
        path = Path(path)
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError as fault:
            raise BriefError(
                f"{path}: no such file.", remedy="Make one with: mercer init DATAFILE"
            ) from fault
        except (OSError, UnicodeDecodeError) as fault:
            raise BriefError(f"{path}: can't be read as UTF-8 text.", remedy="Give a YAML brief.") from fault
        return cls.parse(text, name=str(path))

    @classmethod
    def parse(cls, text: str, name: str = "brief") -> Brief:
        """Read YAML text. Raises BriefError naming `name`, field and what is valid there."""
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as fault:
            where = getattr(fault, "problem_mark", None)
            line = f" line {where.line + 1}" if where else ""
            raise BriefError(
                f"{name}:{line} is not valid YAML.", remedy="Check indentation and quotes."
            ) from fault
        except ValueError as fault:
            # PyYAML builds dates itself and lets the calendar's complaint through.
            raise BriefError(f"{name}: {fault}.", remedy="Write dates as YYYY-MM-DD.") from fault
        if not isinstance(content, dict):
            raise BriefError(
                f"{name}: a brief is a YAML mapping.", remedy="Make one with: mercer init DATAFILE"
            )
        try:
            return cls.model_validate(content)
        except ValidationError as fault:
            raise BriefError(f"{name}: " + "; ".join(_explain(e) for e in fault.errors())) from None

    def dump(self) -> str:
        """YAML with every default visible; `Brief.parse(brief.dump()) == brief`."""
        content = self.model_dump(mode="json", by_alias=True)
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)

    @property
    def rivals(self) -> dict[str, Source]:
        """What the business used until now, by target."""
        own = {} if self.data.incumbent is None else {self.decision.target: self.data.incumbent}
        return {**own, **self.data.incumbents}

    @property
    def hash(self) -> str:
        """SHA-256 of the resolved content, independent of layout and comments."""
        content = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _explain(error: Mapping[str, Any]) -> str:
    """One sentence for one pydantic error: field, what is wrong, what is legal."""
    place = [str(part) for part in error["loc"] if part not in get_args(Task)]
    where = ".".join(place) or "(top)"
    if error["type"] == "extra_forbidden":
        return f"unknown key {where!r}. {nearest(place[-1], _valid_keys(error['loc']))}"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]} (given: {str(error['input'])[:60]!r})"


_TARGETS: Mapping[Any, type[TargetBase]] = {
    task: target
    for target in (RecommendTarget, SearchTarget, BehaviorTarget)
    for task in get_args(target.model_fields["task"].annotation)
}


def _valid_keys(location: tuple[Any, ...]) -> list[str]:
    """Keys that are legal where an unknown one was found."""
    model: type[BaseModel] = Brief
    for part in location[:-1]:
        if part in _TARGETS:
            model = _TARGETS[part]
            continue
        info = model.model_fields.get(str(part)) or next(
            (f for f in model.model_fields.values() if f.alias == part), None
        )
        inner = _inner_model(info.annotation) if info else None
        model = inner or model
    return [f.alias or n for n, f in model.model_fields.items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The sub-model inside an annotation such as `Source | None` or `list[Guardrail]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is not None:
        for argument in get_args(annotation):
            found = _inner_model(argument)
            if found is not None:
                return found
    return None
