"""Segments of customers, found without a label: by how they buy, and by what they buy.

habits.py      recency, frequency and money of every customer as of a cut
tastes.py      what a customer buys as a vector
stability.py   how many groups there are, if any: those that resampling finds again
words.py       a group in plain words
segments.py    both views, with sizes, shares and words; aggregates only
"""

from mercer.data.segments.segments import Segment, Segments, View, find_segments

__all__ = ["Segment", "Segments", "View", "find_segments"]
