"""Cases: listed, opened and disposed of by a role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from mercer.compliance import CaseStore, NewCase
from mercer.errors import ConflictError
from mercer.serving.calls import CaseIn, CloseCall
from mercer.serving.middleware.authentication import requires
from mercer.serving.replies import CaseOut, CaseReply, CasesReply
from mercer.serving.wire import as_time

Limit = Annotated[int, Query(ge=1, le=1_000)]
Offset = Annotated[int, Query(ge=0)]


def router(cases: CaseStore, clock: Callable[[], int]) -> APIRouter:
    """Routes over the case store."""
    routes = APIRouter(prefix="/v1", tags=["cases"], dependencies=[Depends(requires("cases"))])

    @routes.get("/cases", summary="List cases, newest first")
    def listed(
        request: Request,
        status: Literal["open", "closed"] | None = None,
        kind: str | None = None,
        rule: str | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> CasesReply:
        """Every parameter narrows the list; histories are left out."""
        found = cases.list(status=status, kind=kind, rule=rule, limit=limit, offset=offset)
        return CasesReply(
            request_id=request.state.request_id, cases=[CaseOut.model_validate(c.to_json()) for c in found]
        )

    @routes.get("/cases/{case}", summary="One case with its history")
    def shown(case: str, request: Request) -> CaseReply:
        """404 for an id that names no case."""
        return _reply(request, cases, case)

    @routes.post("/cases", summary="Open a case")
    def opened(body: CaseIn, request: Request) -> CaseReply:
        """The same kind, subject, rule and occasion again return the case that is there."""
        [case] = cases.open(
            NewCase(
                kind=body.kind,
                subject=body.subject,
                opened=as_time(clock()) if body.opened is None else body.opened.astimezone(UTC),
                rule=body.rule,
                occasion=body.occasion,
                score=body.score,
                reasons=tuple(body.reasons),
            )
        )
        return _reply(request, cases, case)

    @routes.post("/cases/{case}/close", summary="Dispose of a case")
    def closed(case: str, body: CloseCall, request: Request) -> CaseReply:
        """A disposition is final: a case that is closed is a conflict (409). It becomes a label."""
        if cases.show(case).status == "closed":
            raise ConflictError(
                f"Case {case} is closed already.", remedy="A disposition is final; open another case."
            )
        cases.close(case, body.disposition, body.role, clock(), body.note)
        return _reply(request, cases, case)

    return routes


def _reply(request: Request, cases: CaseStore, case: str) -> CaseReply:
    return CaseReply(
        request_id=request.state.request_id, case=CaseOut.model_validate(cases.show(case).to_json())
    )
