"""Which times can be offered, and why others are not."""
