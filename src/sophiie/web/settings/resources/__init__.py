"""Settings, tab Resources: rooms, vans and whatever else cannot be used twice at once."""
