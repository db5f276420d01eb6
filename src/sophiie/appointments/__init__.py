"""Appointments, and the rule that nobody is booked twice.

Knows nothing of Google: it announces a change by the signal in `signals.py`, inside the same
transaction, and whoever listens records what follows.
"""
