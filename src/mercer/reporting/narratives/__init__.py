"""Narratives: why an item is recommended, what a case rests on. Made of facts handed over, and of nothing else.

fact.py        Fact: id, kind, name, value, unit, direction
sources.py     facts of a case, of a prediction, of a recommendation
narrative.py   Narrative: sentences with the ids of their evidence, and why a wording was refused
template.py    the plain wording, the default
numbers.py     how quantities are said, and the rounding rule
lexicon.py     the words that may stand beside facts
reading.py     a sentence as names, numbers and words
binding.py     which number, direction or comparison belongs to which facts
relations.py   verbs and their items, causes and their reasons, states and what is in them
check.py       does every claim follow from the facts cited?
wording.py     a language model's wording, used where the check finds nothing
planting.py    false sentences made of true ones, to measure the check
"""

from mercer.reporting.narratives.check import check, check_sentence
from mercer.reporting.narratives.fact import Fact
from mercer.reporting.narratives.narrative import Fault, Narrative, Sentence
from mercer.reporting.narratives.sources import case_facts, prediction_facts, recommendation_facts
from mercer.reporting.narratives.template import template
from mercer.reporting.narratives.wording import narrate, reword

__all__ = [
    "Fact",
    "Fault",
    "Narrative",
    "Sentence",
    "case_facts",
    "check",
    "check_sentence",
    "narrate",
    "prediction_facts",
    "recommendation_facts",
    "reword",
    "template",
]
