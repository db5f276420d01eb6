"""A member's connection to Google: connect, choose a calendar, change, unlink.

Owns the grant, its tokens and their renewal, and the lease that says who works with them. It does
not know what is written into the calendar; `sync` hears of new links by a signal.
"""
