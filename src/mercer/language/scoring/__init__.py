"""Log-probabilities of texts under a decoder: how likely is this continuation after that prompt.

scorer.py  LocalScorer: what prompts share is read once, then what each prompt's continuations share
"""

from mercer.language.scoring.scorer import LocalScorer, Scores

__all__ = ["LocalScorer", "Scores"]
