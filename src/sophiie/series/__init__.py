"""Appointments that repeat: a rule, and the ordinary appointments that it stands for.

`rule.py`, `words.py` and `planning.py` are pure: which days, in which words, at which instants.
`booking.py`, `changing.py`, `cancelling.py` and `undoing.py` are the acts, each one transaction;
`extending.py` keeps open-ended series planned a year ahead. Every visit is an appointment like any
other: `appointments` and `sync` do not know that series exist.
"""
