"""A member's connection to Google: connect, choose a calendar, change, unlink.

Owns the grant: tokens and their renewal, and the lease that says who works with them. What is
written into the calendar is none of its business; `sync` hears of new links by a signal.
"""
