"""Protected attributes among the features, and features or predictions that stand in for one.

The probe asks how well one feature alone tells a protected group from everybody else (area under the ROC
curve, either way round). Its interval widens with the number of probes and narrows with the group, so that
small samples and many features don't decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate, plural
from mercer.compliance.gates.purposes import features_in_use, note_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ELDERLY = 62
_MOST_GROUPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One feature or prediction against one protected group.

    n: people probed. reach: AUC or 1 - AUC, the larger. se: its standard error.
    """

    target: str
    column: str
    group: str
    n: int
    reach: float
    se: float


class ProtectedAndProxies(RuleGate):
    """No protected attribute is a feature, and no feature or prediction gives one away."""

    name = "protected"
    stage = "evaluate"

    def measure(self, evidence: Evidence) -> Measured:
        """Compare names, then probe every column against every protected group."""
        names = {name.casefold() for name in self.words("names")}
        features = features_in_use(evidence)
        direct = [
            {"target": target, "column": feature, "why": "a protected attribute is a feature"}
            for target, feature in features
            if feature.casefold() in names or note_of(evidence, feature).protected
        ]
        groups = protected_groups(evidence, names)
        probes = list(self._probes(evidence, groups))
        proxies = self._proxies(probes)
        strongest = max((probe.reach for probe in probes), default=0.0)
        return Measured(
            examined=len(features) + len(probes),
            violations=len(direct) + len(proxies),
            measured=f"{plural(len(direct), 'protected feature')}, {plural(len(proxies), 'proxy')} among "
            f"{plural(len(probes), 'probe')} (strongest AUC {strongest:.2f})",
            offending=direct + proxies,
            missing=_missing(features, groups, probes),
            target=str((direct + proxies)[0]["target"]) if direct or proxies else "",
        )

    def _probes(self, evidence: Evidence, groups: pd.DataFrame) -> Iterator[Probe]:
        least = int(self.number("least_group", 30))
        for target, people, columns in _columns(evidence):
            known = groups.reindex(people)
            for attribute in groups.columns:
                for group, member in _members(known[attribute], least):
                    told = known[attribute].notna().to_numpy(bool)
                    for column, values in columns.items():
                        usable = told & np.isfinite(values)
                        inside = member[usable]
                        if min(inside.sum(), (~inside).sum()) < least:
                            continue
                        reach, se = reach_of(values[usable], inside)
                        yield Probe(
                            target=target, column=column, group=f"{attribute} = {group}", n=int(usable.sum()),
                            reach=reach, se=se,
                        )  # fmt: skip

    def _proxies(self, probes: list[Probe]) -> list[Mapping[str, Any]]:
        """Probes whose whole interval lies over the threshold, strongest first."""
        from scipy.stats import norm

        limit = float(self.rule.threshold)
        z = float(norm.isf(0.025 / max(1, len(probes))))
        certain = [probe for probe in probes if probe.reach - z * probe.se > limit]
        return [
            {
                "target": probe.target,
                "column": probe.column,
                "group": probe.group,
                "auc": round(probe.reach, 3),
                "auc_low": round(probe.reach - z * probe.se, 3),
                "people": probe.n,
                "why": "it stands in for a protected attribute",
            }
            for probe in sorted(certain, key=lambda p: -p.reach)
        ]


def _missing(features: list[tuple[str, str]], groups: pd.DataFrame, probes: list[Probe]) -> str:
    if not features:
        return "The run has no feature list: histories of ranking targets are not probed."
    if groups.columns.empty:
        return "The data hold no protected attribute, so what stands in for one can't be probed."
    return "" if probes else "No protected group is large enough to probe."


def reach_of(values: Floats, inside: Bools) -> tuple[float, float]:
    """How far `values` tell members from the rest: max(AUC, 1 - AUC), and its standard error.

    Ties count half. The error is that of Hanley and McNeil, Radiology 1982, with the larger of both sides.
    """
    from scipy.stats import rankdata

    n1, n0 = int(inside.sum()), int((~inside).sum())
    auc = (rankdata(values)[inside].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)
    reach = float(max(auc, 1 - auc))
    q1, q2 = reach / (2 - reach), 2 * reach**2 / (1 + reach)
    variance = reach * (1 - reach) + (n1 - 1) * (q1 - reach**2) + (n0 - 1) * (q2 - reach**2)
    return reach, float(np.sqrt(max(variance, 0.0) / (n1 * n0)))


def protected_groups(evidence: Evidence, names: set[str]) -> pd.DataFrame:
    """Protected attributes by person: index the id, a column an attribute, values texts or missing.

    An attribute is protected when the data dictionary says so or the rule names it. Age counts as two groups,
    under and from 62, where the rule names age.
    """
    columns: dict[str, pd.Series] = {}
    for table, key in (("users", "user"), ("examples", "unit")):
        frame = evidence.table(table)
        if frame is None or key not in frame:
            continue
        people = frame.drop_duplicates(key).set_index(key)
        for name, values in _attributes(people):
            if name.casefold() in names or note_of(evidence, name, f"{table}.{name}").protected:
                columns.setdefault(name, _grouped(name, values))
    return pd.DataFrame(columns) if columns else pd.DataFrame(index=pd.Index([], dtype=object))


def _attributes(people: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Columns of a table of people, and the keys of its JSON column `attributes`."""
    for name in people.columns:
        if name != "attributes":
            yield str(name), people[name]
    if "attributes" in people:
        texts = people["attributes"].dropna()
        rows = pd.DataFrame([_parsed(text) for text in texts], index=texts.index)
        for name in rows.columns:
            yield str(name), rows[name].reindex(people.index)


def _parsed(text: object) -> dict[str, Any]:
    try:
        content = json.loads(str(text))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _grouped(name: str, values: pd.Series) -> pd.Series:
    known = values.notna()
    if name.casefold() == "age":
        numbers = pd.to_numeric(values, errors="coerce")
        labels = np.where(numbers >= ELDERLY, f"from {ELDERLY}", f"under {ELDERLY}").astype(object)
        texts = pd.Series(labels, values.index)
    else:
        texts = pd.Series(values.astype(str).to_numpy(object), values.index)
    return texts.where(known, None)


def _members(values: pd.Series, least: int) -> Iterator[tuple[str, Bools]]:
    """Groups with at least `least` members inside and outside; of two complements only one."""
    counts = values.value_counts()
    total = int(counts.sum())
    usable = [g for g, n in counts.items() if n >= least and total - n >= least][:_MOST_GROUPS]
    if len(counts) == 2:
        usable = usable[:1]
    for group in usable:
        yield str(group), (values == group).to_numpy(bool, na_value=False)


def _columns(evidence: Evidence) -> Iterator[tuple[str, list[str], dict[str, Floats]]]:
    """Per target: people, and each numeric feature and the prediction itself."""
    for target, frame in evidence.features.items():
        numeric = {str(name): _numbers(frame[name]) for name in frame.columns}
        yield target, [str(person) for person in frame.index], numeric
    for target, frame in evidence.predictions.items():
        yield target, frame["cluster"].astype(str).tolist(), {"the prediction": _numbers(frame["value"])}


def _numbers(values: pd.Series) -> Floats:
    """Numbers of a feature; a text feature becomes the codes of its values."""
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return values.to_numpy(np.float64, na_value=np.nan)
    return pd.factorize(values, sort=True)[0].astype(np.float64)
