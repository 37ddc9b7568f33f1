"""Cleaning rules: named, in a stated order, each with a sentence, a count, and a switch in the brief.

sheet.py    a table under cleaning: rows that are kept, rows that were quarantined and why
rule.py     what a rule is
text.py     NUL bytes, texts that are too long, card numbers, e-mail addresses, phone numbers
cards.py    what a card number is
people.py   missing and forgotten people, ages
events.py   times, quantities, amounts
codes.py    tests, corrections, postage and fees
prices.py   unit prices that can't be
returns.py  cancellations and returns, and the purchases they undo
repeats.py  the same event twice
items.py    catalogues: titles, repeated entries
near_items.py  one product under two codes
examples.py flat labelled examples: labels, unreadable cells
order.py    which rules a table gets, in which order
reference.py  the rules as a table for people
"""

from mercer.data.cleaning.order import all_rules, rules_for
from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Sheet

__all__ = ["Facts", "Rule", "Sheet", "all_rules", "rules_for"]
