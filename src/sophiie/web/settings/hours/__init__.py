"""Settings, tab Working hours."""
