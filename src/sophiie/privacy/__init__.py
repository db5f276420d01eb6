"""What is known of people: erased when asked, given out when asked, forgotten in time.

`customers.py`, `members.py` and `businesses.py` hold the acts of erasing, `export.py` gives data
out, `retention.py` forgets what is old, `chores.py` is what a worker does of it. What is stored of
whom stands in one list, `holdings.py`.
"""
