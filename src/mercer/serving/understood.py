"""What a search call is ranked by: what is understood of its query in time, given filters, or the plain query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from mercer.data.personal import holds, redact
from mercer.release import Release
from mercer.release.filters import Unknown, unknown_names, unknown_values
from mercer.search.understanding import CatalogueValues, Filters, Understanding
from mercer.serving.calls import QueryFilters, SearchCall
from mercer.serving.deadline import DeadlineReader
from mercer.serving.problems import FieldProblem, ProblemError
from mercer.serving.replies import How, UnderstoodOut

_CONCERNING = ("understand", "filters", "without", "deadline_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a query is ranked by and how that came about.

    deadline_ms: how long understanding might take. seconds: what it took of the answer's time.
    """

    understanding: Understanding
    how: How
    deadline_ms: int
    seconds: float = 0.0

    def notes(self) -> list[str]:
        """What a caller must know: that the query was not understood."""
        if self.how == "late":
            return [
                f"Understanding the query took longer than {self.deadline_ms} ms: the plain query was used."
            ]
        if self.how == "failed":
            return ["The query could not be understood: the plain query was used."]
        return []

    def reply(self, values: CatalogueValues, maker: str) -> UnderstoodOut:
        """What the answer says of it."""
        filters = self.understanding.filters
        return UnderstoodOut(
            query=self.understanding.query,
            intent=self.understanding.intent if self.how == "understood" else None,
            filters=QueryFilters(
                category=filters.category or None,
                brand=filters.brand or None,
                price_min=filters.price_min,
                price_max=filters.price_max,
                attributes=dict(filters.attributes),
                age=filters.age,
            ),
            currency=values.currency or None,
            maker=maker,
            how=self.how,
            milliseconds=round(1e3 * self.seconds, 3),
        )


def held(
    call: SearchCall, target: str, release: Release, reader: DeadlineReader, default_ms: int
) -> Held | None:
    """What a call to `target` is ranked by; None where the search does not understand queries.

    default_ms: the deadline where the call names none. Raises ProblemError for fields that contradict each other or
    concern a search that does not understand queries, and for values that the catalogue does not hold.
    """
    if not release.understands(target):
        _refuse(call, target)
        return None
    _refuse_contradictions(call)
    ranker = release.reader(target)
    deadline_ms = default_ms if call.deadline_ms is None else call.deadline_ms
    plain = Understanding(query=call.query)
    if call.filters is not None:
        wanted = _given(call.filters, ranker.values)
        return Held(understanding=replace(plain, filters=wanted), how="given", deadline_ms=deadline_ms)
    _require_known("without", unknown_names(call.without, ranker.values))
    if call.understand is False:
        return Held(understanding=plain, how="plain", deadline_ms=deadline_ms)
    read = reader.read(
        target, call.query, ranker.maker.understand, deadline_ms / 1000, keep=not _is_personal(call.query)
    )
    found = plain
    if read.understanding is not None:
        found = read.understanding.without(*call.without)
    return Held(understanding=found, how=read.how, deadline_ms=deadline_ms, seconds=read.seconds)


def _is_personal(query: str) -> bool:
    return holds(query, "card") or redact(query, "email", "phone") != query


def _given(filters: QueryFilters, values: CatalogueValues) -> Filters:
    made = Filters(
        category=filters.category or "",
        brand=filters.brand or "",
        price_min=filters.price_min,
        price_max=filters.price_max,
        attributes=MappingProxyType(dict(filters.attributes)),
        age=filters.age,
    )
    _require_known("filters", unknown_values(made, values))
    return made


def _refuse(call: SearchCall, target: str) -> None:
    """Refuse what concerns understanding where there is none."""
    sent = [name for name in _CONCERNING if name in call.model_fields_set]
    if sent:
        raise ProblemError(
            422,
            "no-understanding",
            f"Target {target!r} does not understand queries.",
            remedy="Leave these fields out, or name a target that GET /v1/release shows with a `maker`.",
            fields=[
                FieldProblem(field=name, message="This search takes queries as they are.") for name in sent
            ],
        )


def _refuse_contradictions(call: SearchCall) -> None:
    wrong = list(_contradictions(call))
    if wrong:
        raise ProblemError(
            422,
            "invalid-request",
            "Two fields of the call contradict each other.",
            remedy="Leave one of them out.",
            fields=wrong,
        )


def _contradictions(call: SearchCall) -> Iterator[FieldProblem]:
    if call.filters is not None and call.understand:
        yield FieldProblem(
            field="filters", message="Given filters stand instead of understanding; `understand` is true."
        )
    if call.without and (call.filters is not None or call.understand is False):
        yield FieldProblem(field="without", message="Nothing is understood that could be taken back.")


def _require_known(field: str, unknown: list[Unknown]) -> None:
    if unknown:
        raise ProblemError(
            422,
            "unknown-value",
            f"{len(unknown)} value{'s are' if len(unknown) > 1 else ' is'} not the catalogue's.",
            remedy="See `fields`; `understood` of an answer spells values as the catalogue does.",
            fields=[
                FieldProblem(field=f"{field}.{one.place}", message=f"{one.what} {one.remedy}")
                for one in unknown
            ],
        )
