"""Appointments and the rule that nobody is booked twice.

Knows nothing of Google: a change is announced by the signal in `signals.py`, inside the same
transaction, and whoever cares records what follows from it.
"""
