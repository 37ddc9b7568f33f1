"""Ship, do not ship, or need more data: a decision by stated rules, each with its evidence.

Every rule gives one reason that speaks `for`, `against` or leaves the question `open`. Any reason against:
do not ship. Else any open one: need more data. Else ship. docs/reference/reporting.md lists the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mercer.brief import Guardrail
from mercer.evaluation import Comparison, metric_name
from mercer.evaluation.leaderboard import number
from mercer.reporting.run_files import RunFiles
from mercer.reporting.words import signed, signed_share

Verdict = Literal["ship", "do-not-ship", "need-more-data"]
Side = Literal["for", "against", "open"]

HEADLINES: dict[Verdict, str] = {
    "ship": "Ship",
    "do-not-ship": "Do not ship",
    "need-more-data": "Need more data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one rule found. change: what would turn it; evidence: ids of what it rests on."""

    rule: str
    side: Side
    text: str
    change: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How far the selected model is ahead of the opponent, positive is better, on the metric's scale.

    least: what the brief calls worth acting on. relative: over the opponent's value, None where that is 0.
    """

    value: float
    low: float | None
    high: float | None
    least: float
    relative: float | None
    comparison: Comparison
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision with everything it rests on. Stability: callers stable."""

    verdict: Verdict
    target: str
    metric: str
    model: str | None
    against: str
    gain: Gain | None
    reasons: tuple[Reason, ...]

    @property
    def headline(self) -> str:
        """The verdict in words."""
        return HEADLINES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self) | {"headline": self.headline}


def decide(run: Path) -> Decision:
    """The decision of a run folder. Raises NotFoundError for a folder without a brief."""
    return decide_files(RunFiles.load(run))


def decide_files(files: RunFiles) -> Decision:
    """The decision from files already read."""
    decision = files.brief.decision
    gain = gain_of(files)
    reasons = tuple(
        reason
        for rule in (_gain_reasons, _guardrail_reasons, _gate_reasons, _leakage_reasons)
        for reason in rule(files, gain)
    )
    sides = {reason.side for reason in reasons}
    verdict: Verdict = (
        "do-not-ship" if "against" in sides else "need-more-data" if "open" in sides else "ship"
    )
    return Decision(
        verdict=verdict,
        target=decision.target,
        metric=decision.metric,
        model=files.selected(decision.target),
        against=decision.against,
        gain=gain,
        reasons=reasons,
    )


def gain_of(files: RunFiles) -> Gain | None:
    """The gain over the opponent on the deciding metric, or None where it was not compared."""
    decision = files.brief.decision
    found = files.comparison(decision.target, decision.metric, decision.against)
    if found is None:
        return None
    at, compared = found
    better_is_higher = metric_name(decision.metric).higher_is_better is not False
    sign = 1 if better_is_higher else -1
    ends = sorted(sign * end for end in (compared.low, compared.high) if end is not None)
    opponent = files.row(decision.target, decision.against, decision.metric)
    base = abs(opponent[1].value) if opponent else 0.0
    least = max(decision.least_gain.absolute or 0.0, (decision.least_gain.relative or 0.0) * base)
    return Gain(
        value=sign * compared.difference,
        low=ends[0] if ends else None,
        high=ends[-1] if ends else None,
        least=least,
        relative=sign * compared.difference / base if base else None,
        comparison=compared,
        evidence=f"leaderboard.comparisons[{at}]",
    )


def _gain_reasons(files: RunFiles, gain: Gain | None) -> Iterator[Reason]:
    decision = files.brief.decision
    model = files.selected(decision.target)
    metric = decision.metric
    if model is not None and model == decision.against:
        yield Reason(
            rule="gain", side="against", evidence=(f"manifest.selected.{decision.target}",),
            text=f"Validation selected {model}, which is the opponent itself: there is nothing new to ship.",
            change="A model that beats the opponent on validation.",
        )  # fmt: skip
        return
    if gain is None:
        yield Reason(
            rule="gain", side="open",
            text=f"The selected model was not compared with {decision.against} on {metric}.",
            change=f"Evaluate {decision.target} with {decision.against} among its models.",
        )  # fmt: skip
        return
    yield _gain_reason(model or "the selected model", decision.against, metric, gain)


def _gain_reason(model: str, against: str, metric: str, gain: Gain) -> Reason:
    verdict, cited = gain.comparison.verdict, (gain.evidence,)
    span = _span(gain)
    least = f"the least gain worth acting on, {number(gain.least)}"
    if verdict == "worse":
        return Reason(
            rule="gain", side="against", evidence=cited,
            text=f"{model} is worse than {against} on {metric}: {span}.", change="A better model.",
        )  # fmt: skip
    if gain.high is not None and gain.high < gain.least:
        return Reason(
            rule="gain", side="against", evidence=cited,
            text=f"Even the upper end of the gain over {against} lies under {least}: {span}.",
            change="A better model, or a smaller least gain in the brief.",
        )  # fmt: skip
    if verdict != "better" or gain.low is None:
        why = "was not tested" if verdict == "not-tested" else "could be chance"
        return Reason(
            rule="gain", side="open", evidence=cited,
            text=f"The difference from {against} on {metric} {why}: {span}, adjusted p {_p(gain.comparison)}.",
            change="More test units, or a model that is further ahead.",
        )  # fmt: skip
    if gain.low < gain.least:
        return Reason(
            rule="gain", side="open", evidence=cited,
            text=f"{model} is better than {against}, but the gain may lie under {least}: {span}.",
            change=f"More test units: the interval has to clear {number(gain.least)}.",
        )  # fmt: skip
    return Reason(
        rule="gain", side="for", evidence=cited,
        text=f"{model} is better than {against} on {metric}: {span}, adjusted p {_p(gain.comparison)}; "
        f"the whole interval lies above {least}.",
        change=f"A gain over {against} whose lower end falls under {number(gain.least)}; it is now "
        f"{number(gain.low)}.",
    )  # fmt: skip


def _span(gain: Gain) -> str:
    text = signed(gain.value)
    if gain.low is not None and gain.high is not None:
        text += f" [{signed(gain.low)}, {signed(gain.high)}]"
    return text + (f", {signed_share(gain.relative)}" if gain.relative is not None else "")


def _p(comparison: Comparison) -> str:
    return "unknown" if comparison.p_adjusted is None else f"{comparison.p_adjusted:.2g}"


def _guardrail_reasons(files: RunFiles, gain: Gain | None) -> Iterator[Reason]:  # noqa: ARG001 - one form
    target = files.brief.decision.target
    for guardrail in files.brief.decision.guardrails:
        yield _guardrail_reason(files, target, guardrail)


def _guardrail_reason(files: RunFiles, target: str, guardrail: Guardrail) -> Reason:
    limits = [f"at least {number(guardrail.min)}"] if guardrail.min is not None else []
    limits += [f"at most {number(guardrail.max)}"] if guardrail.max is not None else []
    limit = " and ".join(limits) or "any value"
    found = files.row(target, files.selected(target), guardrail.metric)
    if found is None:
        return Reason(
            rule="guardrail", side="open",
            text=f"The guardrail {guardrail.metric} ({limit}) was not measured.",
            change=f"Evaluate {guardrail.metric} for {target}.",
        )  # fmt: skip
    at, row = found
    low = float("-inf") if guardrail.min is None else guardrail.min
    high = float("inf") if guardrail.max is None else guardrail.max
    holds = low <= row.value <= high
    near = (
        row.low is not None and row.high is not None and holds and not (low <= row.low and row.high <= high)
    )
    verb = "holds" if holds else "is broken"
    return Reason(
        rule="guardrail",
        side="for" if holds else "against",
        text=f"The guardrail {guardrail.metric} ({limit}) {verb}: {number(row.value)}"
        + (", though its interval reaches over the limit." if near else "."),
        change=f"{guardrail.metric} outside {limit}; it is now {number(row.value)}." if holds
        else f"A model with {guardrail.metric} of {limit}.",
        evidence=(f"leaderboard.rows[{at}]",),
    )  # fmt: skip


def _gate_reasons(files: RunFiles, gain: Gain | None) -> Iterator[Reason]:  # noqa: ARG001 - one form
    if files.gates is None:
        yield Reason(
            rule="gates",
            side="open",
            text="The rules were not checked.",
            change="Run the gates: mercer gate DIR.",
        )
        return
    findings = list(files.gates.get("findings") or [])
    if not findings:
        yield Reason(
            rule="gates", side="open", text="No rule was examined.", evidence=("gates.verdict",),
            change="Name the jurisdictions in the brief.",
        )  # fmt: skip
        return
    failed = [at for at, f in enumerate(findings) if f.get("status") == "FAIL"]
    unknown = [
        at for at, f in enumerate(findings) if f.get("status") == "NOT_ASSESSED" and not f.get("accepted")
    ]
    for at in failed:
        yield _finding_reason(findings[at], at, "against", "fails")
    for at in unknown:
        yield _finding_reason(findings[at], at, "open", "could not be assessed, and nobody accepted that")
    if failed or unknown:
        return
    passed = sum(f.get("status") == "PASS" for f in findings)
    accepted = [f for f in findings if f.get("accepted")]
    text = f"All {len(findings)} rules in force are satisfied: {passed} pass"
    text += f", {len(accepted)} accepted by role without an assessment" if accepted else ""
    ends = sorted(str(f["accepted"].get("until", "")) for f in accepted)
    yield Reason(
        rule="gates", side="for", text=text + ", the others do not apply.", evidence=("gates.verdict",),
        change="A rule that fails on new data"
        + (f", or the end of the first acceptance on {ends[0]}." if ends else "."),
    )  # fmt: skip


def _finding_reason(finding: dict[str, Any], at: int, side: Side, verb: str) -> Reason:
    name = str(finding.get("title") or finding.get("rule"))
    detail = str(
        finding.get("because") or f"measured {finding.get('measured')}, allowed {finding.get('threshold')}"
    )
    return Reason(
        rule=str(finding.get("rule")), side=side, text=f"The rule “{name}” {verb}: {detail.rstrip('.')}.",
        change=str(finding.get("remedy") or ""), evidence=(f"gates.findings[{at}]",),
    )  # fmt: skip


def _leakage_reasons(files: RunFiles, gain: Gain | None) -> Iterator[Reason]:  # noqa: ARG001 - one form
    target = files.brief.decision.target
    audit = ((files.manifest or {}).get("audit") or {}).get(target)
    if audit is None:
        yield Reason(
            rule="leakage", side="open", text=f"No leakage audit of {target} is on record.",
            change="Run mercer again; the audit is part of every run.",
        )  # fmt: skip
        return
    examined, passed = int(audit.get("examined") or 0), audit.get("status") == "PASS"
    side: Side = "for" if passed and examined else "against" if not passed else "open"
    if (audit.get("protocol") or {}).get("split") == "folds":
        found = f"{examined:,} tested units and " + ("none had" if passed else "some had")
        found += " trained the model that scored it."
    else:
        found = f"{examined:,} training rows and "
        found += "found none after its cut." if passed else "found rows after their cut."
    yield Reason(
        rule="leakage", side=side, evidence=(f"manifest.audit.{target}",),
        text=f"The leakage audit examined {found}",
        change="" if side == "for" else "Mend the data's times, and run again.",
    )  # fmt: skip
