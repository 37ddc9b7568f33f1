"""The one computation of features, for training and for serving."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.contracts import Snapshots
from mercer.features.columns import flat_features
from mercer.features.definitions import DECLARED
from mercer.features.groups import every_group
from mercer.features.timeline import timeline


def compute(snapshots: Snapshots) -> pd.DataFrame:
    """Features of n snapshots: the declared ones first, then one for each flat column.

    Returns a frame of n rows: float64 (text for flat columns that are no numbers). Counts and sums over
    nothing are 0; what can't be measured is NaN, as each declaration says. An event known or dated after the
    cut is not read. A row depends on its own snapshot alone, so a batch of one equals the row of any batch.
    In a log that has an order but no clock, whatever needs days is NaN.
    Raises DataError for flat columns that can't be features.
    """
    line = timeline(snapshots)
    values = every_group(line)
    blank = np.full(line.n, np.nan)
    frame = pd.DataFrame(
        {f.name: values[f.name] if line.has_clock or not f.clock else blank for f in DECLARED},
        index=pd.RangeIndex(line.n),
    )
    if snapshots.columns is None:
        return frame
    return pd.concat([frame, flat_features(snapshots.columns, set(frame.columns))], axis=1)
