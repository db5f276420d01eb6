"""Erasing and downloading personal data."""
