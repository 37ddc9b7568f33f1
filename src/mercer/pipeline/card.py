"""The card of a fitted model: what it is, what it was fitted on, what it cost."""

from __future__ import annotations

import json

from mercer.brief import Brief
from mercer.pipeline.models import Entry, Fits


def model_card(brief: Brief, entry: Entry, fitted: Fits, fit_on: str) -> str:
    """Markdown, the same for the same fit."""
    target = brief.targets[entry.target]
    options = json.dumps(entry.options.model_dump(mode="json"), indent=1, sort_keys=True)
    governance = brief.governance
    return f"""# {entry.model} for {entry.target}
| | |
|---|---|
| task | {target.task} |
| question | {brief.question} |
| fitted on | {fit_on} |
| seed | {_seed(brief, entry)} |
| tier | {governance.tier} |
| owner | {governance.owner_role or brief.owner_role} |
| validator | {governance.validator_role or "none named"} |
| fit | {fitted.cost.seconds:.1f} s wall, {fitted.cost.cpu_seconds:.1f} s CPU, peak {fitted.cost.peak_mib:.0f} MiB |

{_scores(fit_on)}, its limits on the decision page. Intended use: answering this target of this
brief, under the gates that `gates.json` lists; not for anything else.

## Options
```json
{options}
```
"""


def _seed(brief: Brief, entry: Entry) -> str:
    first, *others = brief.fit.seeds
    if not entry.stochastic:
        return f"{first} (not used: the fit is deterministic)"
    if not others:
        return str(first)
    return f"{first}; its scores are means over the seeds {', '.join(map(str, brief.fit.seeds))}"


def _scores(fit_on: str) -> str:
    if fit_on == "all":
        return (
            "This fit has seen every label, so no test scored it; in `leaderboard.json` are the scores of its "
            "siblings, each fitted without the fold it was tested on"
        )
    return "Its scores are in `leaderboard.json`"
