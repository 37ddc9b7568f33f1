"""The simulated shop: a seeded generator whose truth is known.

options.py      size, span and seed; streams of chance
season.py       the calendar: how busy each month is
kinds.py        types of goods, read from catalogue.yaml
catalogue.py    items, prices, popularity, what goes with what
wording.py      titles and texts from attributes
people.py       customers: places, ages, tastes, rates
activity.py     visits, orders, drop-out, and their exact probabilities
tastes.py       what people pick by taste, and draws from it
baskets.py      the lines of each order: taste, habit, companions
visits.py       when visits are, what is looked at
events.py       the event log, returns among it
exposures.py    recommendations shown, with exact propensities, and what came of them
queries.py      search texts, misspelt and unservable ones too
searches.py     searches made, results shown
judgments.py    graded judgments from the truth
consents.py     consents, withdrawals, objections
payments.py     payments and fraud
world.py        all of it, drawn
tables.py       canonical tables of it
logs.py         requests, impressions, outcomes
personal.py     made-up personal data typed into queries
faults.py       faulty rows, with the rule that must catch each
shop.py         write it all into a folder
truth_files.py  the truth beside the data
truth.py        the truth, asked
demo.py         the brief of the demo
"""

from mercer.simulate.demo import demo_brief
from mercer.simulate.options import ShopOptions
from mercer.simulate.shop import ShopSummary, small_shop, write_shop
from mercer.simulate.truth import Truth

__all__ = ["ShopOptions", "ShopSummary", "Truth", "demo_brief", "small_shop", "write_shop"]
