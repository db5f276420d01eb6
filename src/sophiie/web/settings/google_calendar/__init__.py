"""Settings, tab Calendar: linking, the chosen calendar, its polls."""
