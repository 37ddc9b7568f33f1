"""Reporting: a run as a person decides on it, read from the files of the run alone.

decision.py    ship, do not ship, need more data: stated rules, each with its evidence
page.py        write_page: the self-contained decision page
tuning_page.py write_tuning_page: what tuning tried
trainings.py   write_trainings_page: how neural models learned, runs beside each other
run_files.py   what a run folder holds, and what it lacks
figure.py      a chart with caption, numbers and evidence
figures.py     leaderboards and gains by slice
quality.py     calibration and exposure
accounting.py  what became of every row
charts.py      Altair to inline SVG
gate_view.py   the rules as the page shows them
case_view.py   cases that wait for a person, counted
narratives/    cases and recommendations in words, checked against facts
worth.py       money, or why none is claimed
histories.py   ten pseudonymous histories, old list against new
evidence.py    the numbers behind every figure's id
words.py       how numbers and money are said
terminal.py    leaderboard and decision for the terminal
"""

from mercer.reporting.decision import Decision, Reason, decide
from mercer.reporting.page import write_page
from mercer.reporting.trainings import Training, find_trainings, write_trainings_page
from mercer.reporting.tuning_page import write_tuning_page

__all__ = [
    "Decision",
    "Reason",
    "Training",
    "decide",
    "find_trainings",
    "write_page",
    "write_trainings_page",
    "write_tuning_page",
]
