"""What Sophiie knows of people: erased on request, given out on request, forgotten in time.

`customers.py`, `members.py` and `businesses.py` erase, `export.py` gives data out, `retention.py`
forgets what is old, `chores.py` is the worker's part. One list, `holdings.py`, says what is stored
about whom.
"""
