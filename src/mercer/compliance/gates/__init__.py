"""The gates, one idea a file. A gate is built with the rule it measures for; several rules may share one.

base.py          what every gate has: applicability, and one way to turn a measurement into a finding
replay.py        asking the candidate release again, under a signal or without a history
consent.py       consent at the time of each training event
objection.py     objections and browser opt-outs: rows and replay
age_limits.py    age-limited goods in served answers
proxies.py       protected attributes among features, and what gives them away
retention.py     people whose data were last used too long ago
cards.py         card numbers in free text
calibration.py   calibration and governance of predictions
explanation.py   reasons of adverse predictions
disclosure.py    published ranking parameters against the model's own
purposes.py      the purpose of every column used
erasure.py       the forgotten, and known children, among the rows
attested.py      what only a person can attest, what does not apply, what is not built

Nothing is imported here: gates load by entry point (group `mercer.gates`), ours like other people's.
"""
