"""Settings, tab Team."""
