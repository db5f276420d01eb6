"""From Google: when people are busy, and what became of our own events."""
