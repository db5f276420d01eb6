"""Sooner if something opens: who waits for a time, and which time would fit them now.

Nothing happens by itself. Whether a time fits is asked when somebody looks, so an answer is never
older than the page, and a booking costs nothing more; see `fits.py`.
"""
