"""Where the tests of a brief begin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.brief import BehaviorTarget, Brief, RecommendTarget
from mercer.data.profile.log import Log

_LAST = 0.8


def first_test(brief: Brief, log: Log) -> tuple[int, bool]:
    """The first instant of any test (microseconds), and whether the brief says it; else the last fifth of the span."""
    days = []
    for target in brief.targets.values():
        if isinstance(target, RecommendTarget) and target.split.test_from:
            days.append(target.split.test_from)
        elif isinstance(target, BehaviorTarget) and target.label == "events":
            days += target.origins
    if days:
        return int(pd.Timestamp(min(days), tz="UTC").value // 1000), True
    return int(np.quantile(log.time, _LAST)), False
