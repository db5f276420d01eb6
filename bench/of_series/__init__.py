"""The parts of `series.py`, which runs them."""
