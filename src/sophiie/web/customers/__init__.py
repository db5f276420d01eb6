"""The customers: list, one customer's page, merging, import and export."""
