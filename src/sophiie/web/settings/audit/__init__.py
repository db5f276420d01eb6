"""Settings, tab Audit log."""
