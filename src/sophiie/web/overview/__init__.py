"""The overview of owners and admins."""
