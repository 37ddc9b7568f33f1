"""Histories as vectors: the states of an event decoder, as of any cut-off, as a table of features."""
