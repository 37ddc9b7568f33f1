"""Evaluation: what held-out rows say of models. Sees rankings and predictions, never models.

scored.py              scored rows, what a run keeps of every model
midranks.py            exact mid-ranks over the eligible catalogue
ranking.py             score_ranking: a ranker's answers to scored rows
rankings_file.py       score_rankings_file: the same for a system mercer did not build
incumbent.py           score_lists, score_scores: what the business used until now
predictions.py         score_predictions: values and outcomes to scored rows
folds.py               scored rows of folds and of seeds, joined
slices.py              new and old users, head and tail items, countries
names.py               which metrics exist, and which way is better
ranking_metrics.py     recall, ndcg, mrr, condensed ndcg, judged, novelty, coverage, exposure Gini
prediction_metrics.py  auc, average precision, brier, calibration, mae, rmse, bias, spend Gini
ordered.py             weighted rows in the order of a score
measure.py             a metric as a function of weights
metrics.py             any metric of any scored rows, whole or by slice
bootstrap.py           intervals by cluster
significance.py        sign-flip tests, Holm, Benjamini and Hochberg
compare.py             is a better than b
rows.py                rows of the leaderboard
leaderboard.py         leaderboard.json, and selection on validation rows
looks.py               the ledger of test looks
power.py               the least difference the data could detect
agreement.py           how far a judge's grades agree with people's
judges.py              which judges may grade
"""

from mercer.evaluation.agreement import Agreement, agreement, quadratic_kappa
from mercer.evaluation.compare import Comparison, adjust, compare, compare_with
from mercer.evaluation.folds import FoldScored, join_folds, join_seeds
from mercer.evaluation.incumbent import Coverage, score_lists, score_scores
from mercer.evaluation.judges import AcceptedJudge, accept_judge, only_accepted
from mercer.evaluation.leaderboard import Leaderboard, select
from mercer.evaluation.looks import TestLooks
from mercer.evaluation.metrics import RowMetric, measure, metric, unit_values, value
from mercer.evaluation.names import (
    SELECTION,
    SLICE_METRICS,
    TASK_METRICS,
    MetricName,
    all_metrics,
    metric_name,
    needs_lists,
    selection_metric,
    table_of,
)
from mercer.evaluation.power import Detectable, least_detectable, widest_sd
from mercer.evaluation.predictions import score_predictions
from mercer.evaluation.ranking import score_ranking
from mercer.evaluation.rankings_file import score_rankings_file, score_rankings_frame
from mercer.evaluation.rows import Composition, Row, RowInfo, rows_for
from mercer.evaluation.scored import Scored
from mercer.evaluation.slices import Slices, prediction_slices, ranking_slices

__all__ = [
    "SELECTION",
    "SLICE_METRICS",
    "TASK_METRICS",
    "AcceptedJudge",
    "Agreement",
    "Comparison",
    "Composition",
    "Coverage",
    "Detectable",
    "FoldScored",
    "Leaderboard",
    "MetricName",
    "Row",
    "RowInfo",
    "RowMetric",
    "Scored",
    "Slices",
    "TestLooks",
    "accept_judge",
    "adjust",
    "agreement",
    "all_metrics",
    "compare",
    "compare_with",
    "join_folds",
    "join_seeds",
    "least_detectable",
    "measure",
    "metric",
    "metric_name",
    "needs_lists",
    "only_accepted",
    "prediction_slices",
    "quadratic_kappa",
    "ranking_slices",
    "rows_for",
    "score_lists",
    "score_predictions",
    "score_ranking",
    "score_rankings_file",
    "score_rankings_frame",
    "score_scores",
    "select",
    "selection_metric",
    "table_of",
    "unit_values",
    "value",
    "widest_sd",
]
