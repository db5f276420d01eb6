"""Sophiie: the appointments of a service business, mirrored into Google Calendar.

Read next: `sync/__init__.py` tells the main path, docs/explanation/architecture.md shows the parts.
"""
