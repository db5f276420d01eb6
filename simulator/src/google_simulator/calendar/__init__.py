"""What may be done: Calendar v3 as far as clients of one user's calendars ask (facts 2-6)."""
