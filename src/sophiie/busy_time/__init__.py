"""When members are busy outside of Sophiie, and how fresh that knowledge is.

`sync` writes it; bookings and availability read it. It does not know what kind of calendar it came
from.
"""
