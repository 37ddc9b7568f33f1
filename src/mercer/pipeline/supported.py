"""What the form of a brief allows and this version does not do yet: said before any work, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from mercer.brief import BehaviorTarget, Brief
from mercer.errors import BriefError

_DEFAULTS: dict[str, object] = {
    "train_days": None,
    "test_days": None,
    "exclude": "none",
}


def check_supported(brief: Brief) -> None:
    """Raises BriefError naming the first key that would change nothing."""
    for key, remedy in _idle(brief):
        raise BriefError(f"{key} is not acted on by this version.", remedy=remedy)


def _idle(brief: Brief) -> Iterator[tuple[str, str]]:
    if brief.fit.refit and all(isinstance(target, BehaviorTarget) for target in brief.targets.values()):
        yield "fit.refit", "Leave it out: predictors are refitted on all known labels anyway."
    for name, target in brief.targets.items():
        if isinstance(target, BehaviorTarget):
            for key, default in _DEFAULTS.items():
                if getattr(target, key) != default:
                    yield f"targets.{name}.{key}", "Leave it out."
            if target.label == "payments" or target.entity != "user":
                yield (
                    f"targets.{name}: label {target.label}, entity {target.entity}",
                    "Use label: events or examples, entity: user.",
                )
            if target.exclude_columns and target.label != "examples":
                yield f"targets.{name}.exclude_columns", "It is for label: examples; leave it out."
            if target.split.kind == "folds" and target.label == "events":
                yield f"targets.{name}.split: folds over events", "Leave it out: a log has a clock to cut on."
        if target.split.repeats > 1 and target.split.kind != "folds":
            yield f"targets.{name}.split.repeats", "It is for split.kind: folds; leave it out."
