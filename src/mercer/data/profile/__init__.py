"""The profile: the page that a good analyst would look at first.

shop.py           the page of a cleaned data folder, from these sections:
accounts.py         read, kept, quarantined, merged, by rule
growth.py           events, buyers and revenue by month
seasonality.py      weekday and hour
baskets.py          items and worth of an order
repeats.py          orders a customer, gaps between them
concentration.py    how much few items take
prices.py           unit prices, spend of customers
outliers.py         orders far from the rest
drift.py            before the first test and from then on; cut.py says where that is
histories.py        instead of the above where a log has an order and no clock
flat.py             labelled examples: outcome.py, columns.py
missing.py          gaps by column
personal.py         personal data, by rule and by column; texts.py looks through free texts
log.py            the event log as arrays
file.py           the page of any one CSV, Parquet or SQLite file
outcome.py          the outcome of a flat table, and the columns it goes with
columns.py        what is known of a file's columns; meaning.py guesses what they are
spread.py         bins of histograms
charts.py         the kinds of charts; svg.py draws them
page.py           sections to HTML, with page.html and page.css; section.py says what they are made of
words.py          how numbers are said
"""

from mercer.data.profile.file import profile_file
from mercer.data.profile.shop import write_profile

__all__ = ["profile_file", "write_profile"]
