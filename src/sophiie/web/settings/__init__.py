"""Settings: profile, business, team, working hours, Google Calendar, API keys, audit log."""
