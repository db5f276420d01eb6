"""Settings, tab Services: what a business offers."""
