"""What is served, and how it does."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from starlette.responses import Response

from mercer.release import NO_OVERLAY
from mercer.serving.answering import Answering
from mercer.serving.middleware.authentication import requires
from mercer.serving.problems import ProblemError
from mercer.serving.replies import ColumnOut, FallbackOut, Health, Parameter, Ready, ReleaseReply, TargetOut

_SAMPLES = 8


def router(answering: Answering, registry: CollectorRegistry) -> APIRouter:
    """Routes that tell of the server itself."""
    routes = APIRouter(tags=["server"])
    release = answering.release
    info = Gauge("mercer_release_info", "What is served", ["name", "release", "decision"], registry=registry)
    info.labels(release.manifest.name, release.hash[:12], release.manifest.decision or "none").set(1)

    @routes.get("/healthz", summary="Does the process live")
    def healthz() -> Health:
        """Always ok while the process answers."""
        return Health()

    @routes.get("/readyz", summary="Can it answer")
    def readyz() -> Ready:
        """The release is loaded and the state can be read; else 503."""
        try:
            answering.state.catalogue.overlay()
        except Exception as fault:
            raise ProblemError(
                503, "not-ready", "The state database does not answer.", remedy="Try again shortly."
            ) from fault
        return Ready(release=release.hash)

    @routes.get("/metrics", dependencies=[Depends(requires("metrics"))], response_class=Response)
    def metrics() -> Response:
        """Counts and times in the text format of Prometheus; no personal data."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/v1/release", dependencies=[Depends(requires("answer"))], summary="What is served")
    def served(request: Request) -> ReleaseReply:
        """The release: its decision, what answers each target, and the main parameters of every ranking."""
        manifest = release.manifest
        shown = range(0, len(release.vocabulary), max(1, len(release.vocabulary) // _SAMPLES))
        return ReleaseReply(
            request_id=request.state.request_id,
            name=manifest.name,
            question=release.brief.question,
            release=release.hash,
            content=manifest.content_hash,
            phase=manifest.phase,
            decision=manifest.decision,
            created=manifest.created,
            mercer=manifest.mercer,
            n_items=manifest.n_items,
            targets=[_target(answering, name) for name in release.brief.targets if name in manifest.targets],
            samples=[
                answering.show(code, place, NO_OVERLAY, score=None)
                for place, code in enumerate(list(shown)[:_SAMPLES], start=1)
            ],
        )

    return routes


def _target(answering: Answering, name: str) -> TargetOut:
    entry = answering.release.manifest.targets[name]
    parameters = answering.release.disclosure(name) if name in answering.release.rankers else []
    return TargetOut(
        target=name,
        task=entry.task,
        model=entry.model,
        policy=entry.policy,
        fit_on=entry.fit_on,
        parameters=[Parameter(name=parameter, why=why) for parameter, why in parameters],
        columns=[
            ColumnOut(name=column.name, type=column.type, means=column.means, values=list(column.values))
            for column in answering.release.columns.get(name, ())
        ],
        maker=_maker(answering, name),
        fallback=_fallback(answering, name),
    )


def _fallback(answering: Answering, name: str) -> FallbackOut | None:
    release = answering.release
    if name not in release.fallbacks:
        return None
    entry = release.manifest.fallbacks[name]
    return FallbackOut(
        model=entry.model,
        policy=entry.policy,
        fit_on=entry.fit_on,
        parameters=[
            Parameter(name=parameter, why=why) for parameter, why in release.fallbacks[name].parameters()
        ],
    )


def _maker(answering: Answering, name: str) -> str | None:
    release = answering.release
    if name in release.rankers and release.understands(name):
        return release.reader(name).maker.name
    return None
