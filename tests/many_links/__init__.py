"""A database with as many links as one likes, and what acts cost in it."""
