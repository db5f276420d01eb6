"""Which times can be offered, and why others are not.

The story, in the order of the files:

1. `hours.py` turns a member's week, with its exceptions and holidays, into instants: pure.
2. `rules.py` holds what a business asks for: buffers, notice, how far ahead, in which steps.
3. `plans.py` reads both, for any number of members in three queries.
4. `slots.py` takes from the working time what is booked, held or busy elsewhere, in one query over
   local rows, and lays the step grid over what is left.
5. `why_not.py` answers for one time why it is not offered, and always agrees with `slots.py`.
6. `services.py` asks both of them on the terms of a service, and who should do it.
7. `editing.py` has the acts by which people change hours and rules.

Nothing here asks Google anything. That a calendar was read, when, and how far, comes from
`busy_time`. Working hours are no conflict: whoever books may book outside them.
"""
