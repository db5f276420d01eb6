"""When members are not free for reasons outside Sophiie, and how fresh that knowledge is.

Others write it (`sync` reads calendars), bookings and availability read it. It does not know what
kind of calendar it was read from.
"""
