"""What the form of a brief allows and this version does not do yet: said before any work, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from mercer.brief import BehaviorTarget, Brief
from mercer.errors import BriefError

_DEFAULTS: dict[str, object] = {
    "train_days": None,
    "test_days": None,
    "exclude": "none",
    "exclude_columns": [],
}


def check_supported(brief: Brief) -> None:
    """Raises BriefError naming the first key that would change nothing."""
    for key, remedy in _idle(brief):
        raise BriefError(f"{key} is not acted on by this version.", remedy=remedy)


def _idle(brief: Brief) -> Iterator[tuple[str, str]]:
    if len(brief.fit.seeds) > 1:
        yield "fit.seeds: more than one seed", "Give one seed a run."
    for name, target in brief.targets.items():
        if isinstance(target, BehaviorTarget):
            for key, default in _DEFAULTS.items():
                if getattr(target, key) != default:
                    yield f"targets.{name}.{key}", "Leave it out."
            if target.label != "events" or target.entity != "user":
                yield (
                    f"targets.{name}: label {target.label}, entity {target.entity}",
                    "Use label: events, entity: user.",
                )
        if target.split.repeats > 1:
            yield f"targets.{name}.split.repeats", "Leave it out."
