"""A database with as many links as one likes, for `bench/scale.py`."""
