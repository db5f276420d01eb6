"""The calendar page: its frame, what it shows, and what is done in it."""
