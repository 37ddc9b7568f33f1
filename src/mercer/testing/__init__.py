"""Conformance tests that every plug-in of a kind must pass, ours and other people's.

Inherit the contract of your kind in a pytest class and name your plug-in:

    from mercer.testing.rankers import RankerContract

    class TestMyRanker(RankerContract):
        ranker = MyRanker

rankers.py, predictors.py, encoders.py, trainees.py, gates.py, stores.py and tables.py hold one contract each.
Nothing in mercer imports this package.
"""
