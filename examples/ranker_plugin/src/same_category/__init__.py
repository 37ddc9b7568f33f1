"""A ranker for mercer in a package of its own; see ranker.py."""
